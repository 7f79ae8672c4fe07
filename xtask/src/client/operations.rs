//! Additions to the builders of operations: `send` with the client's one error type, conditional requests from an earlier
//! response, and a doc comment for each setter.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde_json::Value;
use syn::{ImplItem, ImplItemFn, Item, ItemImpl, ItemMod, parse_quote};

use super::{documented, items};

/// Descriptions of parameters by operation and parameter; both names as in Rust.
type Descriptions = BTreeMap<String, BTreeMap<String, String>>;

/// Rewrites every builder of the module.
pub fn shape(module: &mut ItemMod, document: &Value) -> anyhow::Result<()> {
    let descriptions = descriptions(document);
    for item in items(module)? {
        let Item::Impl(block) = item else { continue };
        if block.trait_.is_none() {
            shape_one(block, &descriptions)?;
        }
    }
    Ok(())
}

fn shape_one(block: &mut ItemImpl, descriptions: &Descriptions) -> anyhow::Result<()> {
    let name = super::name_of(&block.self_ty).context("an operation's builder has no name")?;
    let parameters =
        descriptions.get(&name).with_context(|| format!("the document has no operation {name}"))?;
    let mut more = Vec::new();
    for item in &mut block.items {
        let ImplItem::Fn(function) = item else { continue };
        let method = function.sig.ident.to_string();
        if let Some(text) = parameters.get(&method) {
            documented(&mut function.attrs, text);
        }
        match method.as_str() {
            "send" => more.push(attempt(function)?),
            "if_match" => more.push(condition(
                parse_quote!(if_unchanged),
                parse_quote!(if_match),
                "Sends `If-Match` with the entity tag of this response: where the resource has changed since, the error is \
                 `precondition_failed`.",
            )),
            "if_none_match" => more.push(condition(
                parse_quote!(if_changed),
                parse_quote!(if_none_match),
                "Sends `If-None-Match` with the entity tag of this response: where the resource has not changed since, \
                 [`is_not_modified`](crate::Error::is_not_modified) is true for the error.",
            )),
            _ => {}
        }
    }
    block.items.extend(more.into_iter().map(ImplItem::Fn));
    Ok(())
}

/// Turns progenitor's `send` into a private `attempt`, which it returns, and replaces it by one with the client's own error.
fn attempt(send: &mut ImplItemFn) -> anyhow::Result<ImplItemFn> {
    let mut attempt = send.clone();
    attempt.vis = syn::Visibility::Inherited;
    attempt.sig.ident = parse_quote!(attempt);
    attempt.attrs.clear();
    let output = match &send.sig.output {
        syn::ReturnType::Type(_, output) => output.as_ref(),
        syn::ReturnType::Default => bail!("`send` returns nothing"),
    };
    let response = super::arguments(output).into_iter().next().context("`send` returns no `Result`")?;
    send.sig.output = parse_quote! { -> Result<#response, crate::Error> };
    send.block = parse_quote! {{ Ok(self.attempt().await?) }};
    Ok(attempt)
}

fn condition(name: syn::Ident, parameter: syn::Ident, text: &str) -> ImplItemFn {
    let text_of = parameter.to_string();
    let mut function: ImplItemFn = parse_quote! {
        pub fn #name<B>(mut self, before: &ResponseValue<B>) -> Self {
            self.#parameter = crate::input::tag(#text_of, before).map(Some);
            self
        }
    };
    documented(&mut function.attrs, text);
    function
}

fn descriptions(document: &Value) -> Descriptions {
    let operations = document["paths"].as_object().into_iter().flatten();
    let operations = operations.flat_map(|(_, item)| item.as_object().into_iter().flatten());
    operations
        .filter_map(|(_, operation)| {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let described = parameters.filter_map(|parameter| {
                let name = parameter["name"].as_str()?.to_lowercase().replace('-', "_");
                Some((name, parameter["description"].as_str()?.to_owned()))
            });
            Some((pascal(operation["operationId"].as_str()?), described.collect()))
        })
        .collect()
}

pub fn pascal(snake: &str) -> String {
    let words = snake.split('_').filter_map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
    });
    words.collect()
}
