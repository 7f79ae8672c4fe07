//! Values of the document as Rust code: constants for the known values of each open set, the operations that create, and
//! the list operations with their pages.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use rollcall_api::document;
use rollcall_api::error;
use serde_json::Value;

use super::operations::pascal;

/// Generates `client/src/values.rs`.
pub fn code(root: &Path) -> anyhow::Result<String> {
    let document = document::published();
    let schemas = document["components"]["schemas"].as_object().context("the document has no schemas")?;
    let mut sets = TokenStream::new();
    for (name, schema) in schemas {
        let Some(values) = schema["x-extensible-enum"].as_array() else { continue };
        let meanings = schema["x-enum-descriptions"]
            .as_array()
            .with_context(|| format!("{name} has no `x-enum-descriptions`"))?;
        let known =
            values.iter().zip(meanings).map(|(value, meaning)| (text(value), sentence(text(meaning))));
        let title = format!(" Known values of [`types::{name}`](crate::types::{name}).");
        sets.extend(constants(&snake(name), &title, known.collect()));
    }
    let codes = error::ALL.iter().map(|entry| (entry.code, format!(" {}", entry.meaning))).collect();
    sets.extend(constants("error_code", " Known values of [`Error::code`](crate::Error::code).", codes));
    let (creating, lists) = (creating(&document), lists(&document)?);
    let file = syn::parse2(quote! { #sets #creating #lists })?;
    super::format(root, &(super::header() + &prettyplease::unparse(&file)))
}

fn constants(module: &str, title: &str, known: Vec<(&str, String)>) -> TokenStream {
    let module = format_ident!("{module}");
    let constants = known.iter().map(|(value, meaning)| {
        let name = format_ident!("{}", value.to_uppercase());
        quote! { #[doc = #meaning] pub const #name: &str = #value; }
    });
    let names = known.iter().map(|(value, _)| format_ident!("{}", value.to_uppercase()));
    quote! {
        #[doc = #title]
        pub mod #module {
            #(#constants)*
            /// Every known value.
            pub const ALL: &[&str] = &[#(#names),*];
        }
    }
}

/// Operations with a parameter of this name.
fn taking<'a>(document: &'a Value, name: &'a str) -> impl Iterator<Item = &'a Value> {
    let items = document["paths"].as_object().into_iter().flatten().map(|(_, item)| item);
    items.flat_map(|item| item.as_object().into_iter().flatten().map(|(_, operation)| operation)).filter(
        move |operation| {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            parameters.into_iter().any(|parameter| parameter["name"] == name)
        },
    )
}

fn creating(document: &Value) -> TokenStream {
    let mut ids: Vec<&str> =
        taking(document, "Idempotency-Key").map(|operation| text(&operation["operationId"])).collect();
    ids.sort_unstable();
    quote! {
        /// Operations that accept an `Idempotency-Key`.
        pub(crate) const CREATING: &[&str] = &[#(#ids),*];
    }
}

fn lists(document: &Value) -> anyhow::Result<TokenStream> {
    let schemas = &document["components"]["schemas"];
    let (mut pages, mut lists) = (BTreeMap::new(), BTreeMap::new());
    for operation in taking(document, "page_token") {
        let id = text(&operation["operationId"]);
        let page = name_of(&operation["responses"]["200"]["content"]["application/json"]["schema"]);
        let page = page.with_context(|| format!("{id} returns no named page"))?;
        let item = name_of(&schemas[page]["properties"]["items"]["items"]);
        let Some(item) = item else { continue };
        pages.insert(page, item);
        lists.insert(pascal(id), item);
    }
    let pairs = |pairs: BTreeMap<String, &str>| {
        let pairs = pairs.into_iter().map(|(of, item)| {
            let (of, item) = (format_ident!("{of}"), format_ident!("{item}"));
            quote! { #of of #item }
        });
        pairs.collect::<Vec<_>>()
    };
    let pages = pairs(pages.into_iter().map(|(page, item)| (page.to_owned(), item)).collect());
    let lists = pairs(lists);
    Ok(quote! { crate::paging::lists!(pages: #(#pages),*; lists: #(#lists),*); })
}

fn name_of(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Turns a meaning into the sentence of a doc comment.
fn sentence(meaning: &str) -> String {
    let mut letters = meaning.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!(" {first}{}.", letters.as_str())
}

fn snake(pascal: &str) -> String {
    let mut snake = String::new();
    for letter in pascal.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
