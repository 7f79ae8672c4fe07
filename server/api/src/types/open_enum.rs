//! Open enums of responses: a string with its known values in `x-extensible-enum`, so that a client generated from an older
//! document can still read the responses of a newer server.

/// Builds the schema of an open enum from its known values and their meanings.
pub(crate) fn schema(
    generator: &mut schemars::r#gen::SchemaGenerator,
    description: &str,
    known: &[(&str, &str)],
) -> schemars::schema::Schema {
    let mut schema = <String as schemars::JsonSchema>::json_schema(generator).into_object();
    let listed: Vec<String> = known.iter().map(|(value, meaning)| format!("`{value}` ({meaning})")).collect();
    schema.metadata().description = Some(format!(
        "{description} Known values: {}. A newer server may send others: treat an unknown value as such, not as an error.",
        listed.join(", ")
    ));
    let (values, meanings): (Vec<&str>, Vec<&str>) = known.iter().copied().unzip();
    schema.extensions.insert("x-extensible-enum".to_owned(), values.into());
    schema.extensions.insert("x-enum-descriptions".to_owned(), meanings.into());
    schema.into()
}
