//! Arguments of setters. Progenitor's setters take a `TryInto` of a field's exact type, and no crate can add a conversion to
//! `Option<Username>`. The rewritten ones take the client's own trait `Input`, and their errors name the field and the rule.

use syn::visit_mut::{self, VisitMut};
use syn::{Expr, GenericArgument, ImplItemFn, PathArguments, Type, TypeParamBound};

/// Rewrites the setters of an `impl` block, and its messages for fields that are not set.
pub struct Inputs;

impl VisitMut for Inputs {
    fn visit_impl_item_fn_mut(&mut self, function: &mut ImplItemFn) {
        let name = field(&function.sig.ident.to_string());
        if let Some(wanted) = wanted(function) {
            bind(function, &wanted);
            Conversion { name: &name }.visit_block_mut(&mut function.block);
        }
        Unset.visit_block_mut(&mut function.block);
    }
}

/// A field's name on the wire. Empty for the whole body, whose errors start with the names of its fields.
fn field(method: &str) -> String {
    match method.trim_end_matches('_') {
        "body" => String::new(),
        name => name.trim_start_matches("r#").to_owned(),
    }
}

/// The `T` of `TryInto<T>`, which is the bound of a setter's one type parameter.
fn wanted(function: &ImplItemFn) -> Option<Type> {
    let predicates = &function.sig.generics.where_clause.as_ref()?.predicates;
    predicates.iter().find_map(|predicate| {
        let syn::WherePredicate::Type(predicate) = predicate else { return None };
        let Some(TypeParamBound::Trait(bound)) = predicate.bounds.first() else { return None };
        let last = bound.path.segments.last().filter(|segment| segment.ident == "TryInto")?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
        match arguments.args.first()? {
            GenericArgument::Type(wanted) => Some(wanted.clone()),
            _ => None,
        }
    })
}

fn bind(function: &mut ImplItemFn, wanted: &Type) {
    let parameter = function.sig.generics.type_params().next().map(|parameter| parameter.ident.clone());
    function.sig.generics.where_clause =
        Some(syn::parse_quote! { where #parameter: crate::input::Input<#wanted> });
}

/// Turns `value.try_into()…map_err(…)` into `crate::input::read("field", value)…`.
struct Conversion<'a> {
    name: &'a str,
}

impl VisitMut for Conversion<'_> {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        let Expr::MethodCall(call) = expression else { return visit_mut::visit_expr_mut(self, expression) };
        match call.method.to_string().as_str() {
            "map_err" => {
                let mut inner = (*call.receiver).clone();
                self.visit_expr_mut(&mut inner);
                *expression = inner;
            }
            "try_into" => {
                let (name, value) = (self.name, &call.receiver);
                *expression = syn::parse_quote! { crate::input::read(#name, #value) };
            }
            _ => visit_mut::visit_expr_method_call_mut(self, call),
        }
    }
}

/// Rewrites the message for a field that is not set in the style of the other errors.
struct Unset;

impl VisitMut for Unset {
    fn visit_lit_str_mut(&mut self, literal: &mut syn::LitStr) {
        let text = literal.value();
        let name =
            text.strip_prefix("no value supplied for ").or_else(|| text.strip_suffix(" was not initialized"));
        if let Some(name) = name {
            *literal = syn::LitStr::new(&format!("{}: must be set", field(name)), literal.span());
        }
    }
}
