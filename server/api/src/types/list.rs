//! Lists in request bodies: at most 100 items, so that one statement can process a body.

use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{ArrayValidation, InstanceType, Schema, SchemaObject};
use serde::{Deserialize, Deserializer};

/// Maximum number of items of a list in a request.
pub const LIST_MAX: usize = 100;

/// A list in a request. Duplicates are allowed and count once.
#[derive(Clone, Debug)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = Vec::deserialize(deserializer)?;
        if items.len() > LIST_MAX {
            return Err(serde::de::Error::custom(format!("must not have more than {LIST_MAX} items")));
        }
        Ok(Self(items))
    }
}

impl<T: JsonSchema> JsonSchema for List<T> {
    fn schema_name() -> String {
        format!("ListOf{}", T::schema_name())
    }

    fn is_referenceable() -> bool {
        false
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        SchemaObject {
            instance_type: Some(InstanceType::Array.into()),
            array: Some(Box::new(ArrayValidation {
                items: Some(generator.subschema_for::<T>().into()),
                max_items: Some(LIST_MAX as u32),
                ..Default::default()
            })),
            ..Default::default()
        }
        .into()
    }
}
