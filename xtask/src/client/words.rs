//! Error messages of types. Where a text does not follow its rule, progenitor's types show the regular expression; the
//! rewritten ones show the rule in the words of the server.

use anyhow::{Context, bail};
use serde_json::Value;
use syn::visit_mut::{self, VisitMut};
use syn::{Item, LitStr};

/// Rewrites the messages of every `FromStr` of the module.
pub fn shape(types: &mut [Item], document: &Value) -> anyhow::Result<()> {
    for item in types {
        let Item::Impl(block) = item else { continue };
        let of_text = block
            .trait_
            .as_ref()
            .and_then(|(_, path, _)| path.segments.last())
            .is_some_and(|last| last.ident == "FromStr");
        if !of_text {
            continue;
        }
        let name = super::name_of(&block.self_ty).context("a type has no name")?;
        let mut messages = Messages { schema: &document["components"]["schemas"][&name], unknown: None };
        visit_mut::visit_item_impl_mut(&mut messages, block);
        if let Some(message) = messages.unknown {
            bail!("`{name}` has no rule in words for \"{message}\": its schema needs `x-rule`");
        }
    }
    Ok(())
}

struct Messages<'a> {
    schema: &'a Value,
    unknown: Option<String>,
}

impl Messages<'_> {
    /// The rule behind a message of progenitor, `Some(None)` where the schema has none in words; `None` for other texts.
    fn rule(&self, message: &str) -> Option<Option<String>> {
        if message.starts_with("longer than ") || message.starts_with("shorter than ") {
            let most = self.schema["maxLength"].as_u64().map(|most| most.to_string());
            let least = self.schema["minLength"].as_u64();
            return Some(most.map(|most| match least {
                Some(least) => format!("must have {least} to {most} characters"),
                None => format!("must have at most {most} characters"),
            }));
        }
        if message.starts_with("doesn't match pattern ") {
            return Some(self.schema["x-rule"].as_str().map(|rule| format!("must {rule}")));
        }
        if message == "invalid value" {
            let words = self.schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
            return Some((!words.is_empty()).then(|| format!("must be {}", words.join(" or "))));
        }
        None
    }
}

impl VisitMut for Messages<'_> {
    fn visit_lit_str_mut(&mut self, literal: &mut LitStr) {
        match self.rule(&literal.value()) {
            Some(Some(rule)) => *literal = LitStr::new(&rule, literal.span()),
            Some(None) => self.unknown = Some(literal.value()),
            None => {}
        }
    }
}
