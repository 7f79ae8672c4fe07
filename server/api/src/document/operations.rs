//! Operations in the document: allowed callers, statuses and parameters.

use serde_json::{Map, Value, json};

use super::{components, finding, info, member, operations_mut, responses};
use crate::access::Access;
use crate::spec::{OperationSpec, Protects};
use crate::types::PAGE_DEFAULT;

/// A parameter that has the same type in every operation: one named schema, and one type in a client.
struct Named {
    parameter: &'static str,
    schema: &'static str,
    description: &'static str,
    /// The pattern in words; completes the sentence "must …".
    rule: &'static str,
}

const NAMED: &[Named] = &[
    Named {
        parameter: "If-Match",
        schema: "EntityTags",
        description: "`*`, or up to ten entity tags as received in `ETag`, quotes included (RFC 9110).",
        rule: "be `*` or entity tags in their quotes, separated by commas",
    },
    Named { parameter: "If-None-Match", schema: "EntityTags", description: "", rule: "" },
    Named {
        parameter: "Idempotency-Key",
        schema: "IdempotencyKey",
        description: "A key that the client chooses for one request and its retries.",
        rule: "have 1 to 255 visible ASCII characters",
    },
    Named {
        parameter: "page_token",
        schema: "PageToken",
        description: "The `next_page` value of the previous page.",
        rule: "be the `next_page` of an earlier page",
    },
];

/// Facts about an operation that decide its responses.
pub(super) struct Facts<'a> {
    /// The operation's line in the table.
    pub spec: &'a OperationSpec,
    /// Returns pages: has `page_token`.
    pub pages: bool,
    /// Has a request body.
    pub body: bool,
    /// Has path parameters.
    pub path: bool,
    /// Has a parameter of any kind.
    pub parameters: bool,
    /// Accepts `If-Match`.
    pub if_match: bool,
    /// Accepts `If-None-Match`.
    pub if_none_match: bool,
    /// Creates a resource: returns 201 and accepts an `Idempotency-Key`.
    pub creates: bool,
    /// Has `q`, `filter` and `sort`.
    pub searches: bool,
}

impl<'a> Facts<'a> {
    fn of(operation: &Map<String, Value>, spec: &'a OperationSpec) -> Self {
        let parameters =
            operation.get("parameters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let named = |name: &str| parameters.iter().any(|parameter| parameter["name"] == name);
        Self {
            spec,
            body: operation.contains_key("requestBody"),
            path: parameters.iter().any(|parameter| parameter["in"] == "path"),
            parameters: !parameters.is_empty(),
            if_match: named("If-Match"),
            if_none_match: named("If-None-Match"),
            pages: named("page_token"),
            searches: named("filter"),
            creates: operation.get("responses").is_some_and(|responses| !responses["201"].is_null()),
        }
    }
}

/// Brings one operation into its published form.
pub(super) fn polish(operation: &mut Map<String, Value>) {
    let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default().to_owned();
    let spec =
        OperationSpec::of(&id).unwrap_or_else(|| panic!("`{id}` has no line in operations::OPERATIONS"));
    let security = if spec.access.needs_credential() { json!([{ info::SCHEME: [] }]) } else { json!([]) };
    operation.insert("security".to_owned(), security);
    operation.insert("x-permission".to_owned(), spec.access.to_string().into());
    operation.insert("x-effect".to_owned(), spec.effect.as_str().into());
    let before = operation.get("description").and_then(Value::as_str).unwrap_or_default();
    let found = finding::paragraph(spec).map(|fields| format!("\n\n{fields}")).unwrap_or_default();
    let description = format!("{before}{found}\n\n{}", who(spec));
    operation.insert("description".to_owned(), description.trim().into());
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        if parameter["in"] == "header" {
            let name = usual(parameter["name"].as_str().unwrap_or_default());
            parameter["name"] = name.into();
        }
        if let Some(schema) = parameter["schema"].as_object_mut() {
            // Queries and headers have no null: a parameter is present or absent.
            schema.remove("nullable");
        }
    }
    if let Some(body) = operation.get_mut("requestBody") {
        body["required"] = (!spec.body_optional).into();
    }
    let facts = Facts::of(operation, spec);
    if id == "document_view" {
        operation["responses"]["200"]["content"]["application/json"]["schema"] =
            json!({ "$ref": "#/components/schemas/OpenApiDocument" });
    }
    responses::write(member(operation, "responses"), &facts);
}

/// A header's name in its usual spelling; Dropshot writes it in lower case.
fn usual(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    });
    words.collect::<Vec<_>>().join("-")
}

/// Adds the default of `limit`. Not in the form for progenitor, which would generate a separate type for it.
pub(super) fn show_default_limit(document: &mut Value) {
    for (_, _, operation) in operations_mut(document) {
        for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            if parameter["name"] == "limit" {
                parameter["schema"]["default"] = PAGE_DEFAULT.into();
            }
        }
    }
}

fn who(spec: &OperationSpec) -> String {
    let who = match spec.access {
        Access::Public => "everyone, without a credential.".to_owned(),
        Access::SignedIn => "any signed-in user.".to_owned(),
        Access::OwnOnly => "only the user themselves.".to_owned(),
        Access::OwnOr(permission) => format!("the user themselves, and holders of `{permission}`."),
        Access::MemberOr(permission) => match permission.included_in() {
            Some(more) => format!("members of the group, and holders of `{permission}` or `{more}`."),
            None => format!("members of the group, and holders of `{permission}`."),
        },
        Access::GroupAdminOr(permission) => {
            format!("members who hold `group:admin` in the group, and holders of `{permission}`.")
        }
        Access::GroupOwnerOr(permission) => {
            format!("members who hold `group:own` in the group, and holders of `{permission}`.")
        }
        Access::OwnOrGroupAdminOr(permission) => {
            format!("the member, members who hold `group:admin` in the group, and holders of `{permission}`.")
        }
        Access::Holders(permission) => format!("holders of `{permission}`."),
        Access::OthersWith(permission) => {
            format!("holders of `{permission}`, for users other than themselves.")
        }
    };
    let fresh = if spec.recent_auth {
        " For your own account, a recent password check is required (`session_reauthenticate`); without one, the response is 403 \
         `reauthentication_required`."
    } else {
        ""
    };
    let out_of_reach = match spec.protects {
        Protects::Nobody => "",
        Protects::Rank => {
            " Returns 403 if the user is somebody else who holds one of Rollcall's own permissions that the caller lacks."
        }
        Protects::Account => {
            " Returns 403 if the user is somebody else whose account would give the caller more than they could grant \
             themselves: a user who holds a permission that the caller lacks (holders of `roles:write` may lack those of \
             applications), or who holds in a group a permission that the caller lacks both there and globally (owners of the \
             group and holders of `groups:write` may lack it)."
        }
    };
    format!("Allowed callers: {who}{out_of_reach}{fresh}")
}

/// Moves the schemas of the parameters in [`NAMED`] to the components.
pub(super) fn name_parameters(document: &mut Value) {
    let mut schemas = Map::new();
    for (_, _, operation) in operations_mut(document) {
        for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(named) = NAMED.iter().find(|named| parameter["name"] == named.parameter) else {
                continue;
            };
            let reference = json!({ "$ref": format!("#/components/schemas/{}", named.schema) });
            let mut schema = std::mem::replace(&mut parameter["schema"], reference);
            if !named.description.is_empty() {
                schema["description"] = named.description.into();
                schema[super::RULE] = named.rule.into();
                schemas.insert(named.schema.to_owned(), schema);
            }
        }
    }
    components(document, "schemas").extend(schemas);
}
