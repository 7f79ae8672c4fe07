//! Doc comments for the setters of bodies: those of the fields.

use std::collections::BTreeMap;

use anyhow::Context;
use syn::{Attribute, Fields, ImplItem, Item};

/// Doc comments by type and field.
type Comments = BTreeMap<String, BTreeMap<String, Vec<Attribute>>>;

/// Copies the doc comment of each field to its setter.
pub fn document(types: &mut [Item]) -> anyhow::Result<()> {
    let comments = comments(types);
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
            let fields = comments.get(&name).with_context(|| format!("the builder {name} has no type"))?;
            for item in &mut block.items {
                if let ImplItem::Fn(function) = item
                    && let Some(comment) = fields.get(&function.sig.ident.to_string())
                {
                    function.attrs.extend(comment.iter().cloned());
                }
            }
        }
    }
    Ok(())
}

fn comments(types: &[Item]) -> Comments {
    let mut comments = Comments::new();
    for item in types {
        let Item::Struct(one) = item else { continue };
        let Fields::Named(fields) = &one.fields else { continue };
        let of_fields = fields.named.iter().filter_map(|field| {
            let comment = field.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
            Some((field.ident.as_ref()?.to_string(), comment.cloned().collect()))
        });
        comments.insert(one.ident.to_string(), of_fields.collect());
    }
    comments
}
