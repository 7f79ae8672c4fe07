//! The document's words on the setters of bodies: those of the fields that they set.

use std::collections::BTreeMap;

use anyhow::Context;
use syn::{Attribute, Fields, ImplItem, Item};

/// The comments of each field of each type.
type Words = BTreeMap<String, BTreeMap<String, Vec<Attribute>>>;

/// Copies the comment of each field to its setter.
pub fn document(types: &mut [Item]) -> anyhow::Result<()> {
    let words = words(types);
    for item in types {
        let Item::Mod(builders) = item else { continue };
        if builders.ident != "builder" {
            continue;
        }
        for builder in super::items(builders)? {
            let Item::Impl(block) = builder else { continue };
            if block.trait_.is_some() {
                continue;
            }
            let name = super::name_of(&block.self_ty).context("a builder has no name")?;
            let words = words.get(&name).with_context(|| format!("the builder {name} builds nothing"))?;
            for item in &mut block.items {
                if let ImplItem::Fn(function) = item
                    && let Some(comment) = words.get(&function.sig.ident.to_string())
                {
                    function.attrs.extend(comment.iter().cloned());
                }
            }
        }
    }
    Ok(())
}

fn words(types: &[Item]) -> Words {
    let mut words = Words::new();
    for item in types {
        let Item::Struct(one) = item else { continue };
        let Fields::Named(fields) = &one.fields else { continue };
        let comments = fields.named.iter().filter_map(|field| {
            let comment = field.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
            Some((field.ident.as_ref()?.to_string(), comment.cloned().collect()))
        });
        words.insert(one.ident.to_string(), comments.collect());
    }
    words
}
