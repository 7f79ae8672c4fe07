//! Types of the document by kind, as lists at the end of the generated file: macros in the client's `input.rs` turn each
//! list into conversions.

use std::collections::BTreeMap;

use anyhow::bail;
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use serde_json::Value;
use syn::{Fields, Item, Type, Visibility};

/// Types by kind.
#[derive(Default)]
struct Kinds<'a> {
    /// Texts that follow a rule.
    texts: Vec<&'a Ident>,
    /// Closed sets of words.
    choices: Vec<&'a Ident>,
    /// Sets of words that may grow.
    open_sets: Vec<&'a Ident>,
    /// UUIDs.
    ids: Vec<&'a Ident>,
    /// JSON objects of any shape.
    objects: Vec<&'a Ident>,
    /// Objects with known fields.
    records: Vec<&'a Ident>,
    /// A value or `null`, and the type of the value.
    nullables: BTreeMap<&'a Ident, Ident>,
}

/// Code with the lists of the types in this module.
pub fn lists(types: &[Item], document: &Value) -> anyhow::Result<TokenStream> {
    let mut kinds = Kinds::default();
    for item in types {
        match item {
            Item::Enum(one) => kinds.choices.push(&one.ident),
            Item::Struct(one) => match &one.fields {
                Fields::Named(_) => kinds.records.push(&one.ident),
                Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                    let field = &fields.unnamed[0];
                    kinds.sort(&one.ident, &field.ty, &field.vis, document)?;
                }
                _ => bail!("`{}` is of no known kind", one.ident),
            },
            _ => {}
        }
    }
    Ok(kinds.tokens())
}

impl<'a> Kinds<'a> {
    fn sort(
        &mut self,
        name: &'a Ident,
        inner: &Type,
        vis: &Visibility,
        document: &Value,
    ) -> anyhow::Result<()> {
        let open = document["components"]["schemas"][name.to_string()]["x-extensible-enum"].is_array();
        let text = inner.to_token_stream().to_string().replace(' ', "");
        match text.as_str() {
            "::std::string::String" if open => self.open_sets.push(name),
            "::std::string::String" if matches!(vis, Visibility::Inherited) => self.texts.push(name),
            "::uuid::Uuid" => self.ids.push(name),
            text if text.starts_with("::serde_json::Map<") => self.objects.push(name),
            text if text.starts_with("::std::option::Option<") => {
                let value = super::arguments(inner).into_iter().next().as_ref().and_then(super::name_of);
                let Some(value) = value else { bail!("`{name}` is an option of nothing") };
                self.nullables.insert(name, Ident::new(&value, name.span()));
            }
            _ => bail!("`{name}` is of no known kind: {text}"),
        }
        Ok(())
    }

    fn tokens(&self) -> TokenStream {
        let Self { texts, choices, open_sets, ids, objects, records, nullables } = self;
        let pairs = |of_record: bool| {
            let some = nullables.iter().filter(move |(_, value)| records.contains(value) == of_record);
            some.map(|(name, value)| quote! { #name(#value) }).collect::<Vec<_>>()
        };
        let (nullable_records, nullable_texts) = (pairs(true), pairs(false));
        quote! {
            crate::input::texts!(#(#texts),*);
            crate::input::choices!(#(#choices),*);
            crate::input::open_sets!(#(#open_sets),*);
            crate::input::ids!(#(#ids),*);
            crate::input::objects!(#(#objects),*);
            crate::input::records!(#(#records),*);
            crate::input::nullable_texts!(#(#nullable_texts),*);
            crate::input::nullable_records!(#(#nullable_records),*);
        }
    }
}
