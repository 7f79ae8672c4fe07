//! Values of responses that may learn new variants: a string with its known values in `x-extensible-enum`, so
//! that a client made from an older document still reads the answer of a newer server.

/// Describes the string type of an open set of values.
pub(crate) fn schema(
    generator: &mut schemars::r#gen::SchemaGenerator,
    description: &str,
    known: &[&str],
) -> schemars::schema::Schema {
    let mut schema = <String as schemars::JsonSchema>::json_schema(generator).into_object();
    schema.metadata().description = Some(format!(
        "{description} Known values: {}. A newer server may send others: treat an unknown value as such, not as an error.",
        known.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")
    ));
    schema.extensions.insert("x-extensible-enum".to_owned(), known.to_vec().into());
    schema.into()
}
