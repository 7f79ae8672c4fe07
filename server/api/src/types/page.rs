//! Keyset paging: the limit, the opaque token and the page.

use std::fmt;

use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Metadata, NumberValidation, Schema, SchemaObject, StringValidation};
use serde::{Deserialize, Deserializer, Serialize};

/// Default number of items on a page.
pub const PAGE_DEFAULT: u32 = 50;
/// Maximum number of items on a page.
pub const PAGE_MAX: u32 = 200;
/// Maximum length of a page token, in characters.
pub const PAGE_TOKEN_MAX: u32 = 4096;

/// The requested number of items on a page, 1 to 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimit(u32);

impl PageLimit {
    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl Default for PageLimit {
    fn default() -> Self {
        Self(PAGE_DEFAULT)
    }
}

impl<'de> Deserialize<'de> for PageLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rule = || serde::de::Error::custom(format!("limit: must be a number from 1 to {PAGE_MAX}"));
        let text = String::deserialize(deserializer)?;
        let number: u32 = text.parse().map_err(|_| rule())?;
        if (1..=PAGE_MAX).contains(&number) { Ok(Self(number)) } else { Err(rule()) }
    }
}

impl JsonSchema for PageLimit {
    fn schema_name() -> String {
        "PageLimit".to_owned()
    }

    fn is_referenceable() -> bool {
        false
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        SchemaObject {
            instance_type: Some(InstanceType::Integer.into()),
            format: Some("uint32".to_owned()),
            number: Some(Box::new(NumberValidation {
                minimum: Some(1.0),
                maximum: Some(f64::from(PAGE_MAX)),
                ..Default::default()
            })),
            ..Default::default()
        }
        .into()
    }
}

/// A page token as sent. Parsing checks its length and characters; the server checks its seal.
#[derive(Clone, PartialEq, Eq)]
pub struct PageToken(pub String);

impl fmt::Debug for PageToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PageToken(…)")
    }
}

impl<'de> Deserialize<'de> for PageToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let fits = !text.is_empty()
            && text.len() <= PAGE_TOKEN_MAX as usize
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if fits {
            Ok(Self(text))
        } else {
            Err(serde::de::Error::custom("page_token: must be the next_page of an earlier response"))
        }
    }
}

impl JsonSchema for PageToken {
    fn schema_name() -> String {
        "PageToken".to_owned()
    }

    fn is_referenceable() -> bool {
        false
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        SchemaObject {
            metadata: Some(Box::new(Metadata::default())),
            instance_type: Some(InstanceType::String.into()),
            string: Some(Box::new(StringValidation {
                min_length: Some(1),
                max_length: Some(PAGE_TOKEN_MAX),
                pattern: Some("^[A-Za-z0-9_-]+$".to_owned()),
            })),
            ..Default::default()
        }
        .into()
    }
}

/// The parameters of a list without search, filter and sort.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// The maximum number of items on the page: 1 to 200, 50 by default.
    #[serde(default)]
    pub limit: Option<PageLimit>,
    /// The `next_page` value of the previous page. Bound to the operation, its other parameters and what the caller may
    /// see; an edited or foreign token gets a 400.
    #[serde(default)]
    pub page_token: Option<PageToken>,
}

/// One page of a list. Its schema is named after the item type, such as `UserPage`.
#[derive(Clone, Debug, Serialize)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// The token of the next page; `null` on the last one.
    pub next_page: Option<String>,
    /// The total number of matches, if the request has `total`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

impl<T: JsonSchema> JsonSchema for Page<T> {
    fn schema_name() -> String {
        format!("{}Page", T::schema_name())
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        /// One page of a list.
        #[derive(JsonSchema)]
        #[expect(dead_code, reason = "only its schema is used")]
        struct Shape<T> {
            /// The items, in the list's order.
            #[schemars(length(max = "PAGE_MAX"))]
            items: Vec<T>,
            /// The token of the next page; absent or `null` on the last one.
            next_page: Option<String>,
            /// The total number of matches; present only if the request has the parameter `total`.
            #[serde(default)]
            total: Option<u64>,
        }
        Shape::<T>::json_schema(generator)
    }
}
