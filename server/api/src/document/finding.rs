//! The documentation of the query languages of lists: a page, and a paragraph in each list operation. The fields come from
//! the tables that the parsers use.

use crate::spec::{Listed, OperationSpec};
use rollcall_query::fields::{AuditEventField, GroupField, MemberField, RoleField, UserField};
use rollcall_query::{
    DEPTH_MAX, FILTER_MAX, Fields, Kind, REGEX_MAX, REGEX_OPTIONAL_MAX, REGEX_SIZE_MAX, REGEXES_MAX,
    SEARCH_MAX, SORT_KEYS_MAX, TERMS_MAX, VALUES_MAX,
};

/// The text of the page, with placeholders for the generated parts.
const PAGE: &str = include_str!("finding.md");

/// Renders the page `openapi/finding.md`.
pub fn page() -> String {
    let limits = [
        ("SEARCH_MAX", SEARCH_MAX),
        ("FILTER_MAX", FILTER_MAX),
        ("TERMS_MAX", TERMS_MAX),
        ("DEPTH_MAX", DEPTH_MAX),
        ("VALUES_MAX", VALUES_MAX),
        ("REGEX_MAX", REGEX_MAX),
        ("REGEXES_MAX", REGEXES_MAX),
        ("REGEX_SIZE_MAX", REGEX_SIZE_MAX as usize),
        ("REGEX_OPTIONAL_MAX", REGEX_OPTIONAL_MAX as usize),
        ("SORT_KEYS_MAX", SORT_KEYS_MAX),
    ];
    let mut page = PAGE
        .replace("{{kinds}}", &kinds())
        .replace("{{user_list}}", &table::<UserField>("holders of `users:read`"))
        .replace("{{group_list}}", &table::<GroupField>(""))
        .replace("{{group_member_list}}", &table::<MemberField>("holders of `users:read`"))
        .replace("{{role_list}}", &table::<RoleField>(""))
        .replace("{{audit_event_list}}", &table::<AuditEventField>(""));
    for (name, value) in limits {
        page = page.replace(&format!("{{{{{name}}}}}"), &value.to_string());
    }
    page
}

/// Paragraph about fields for the description of a list operation.
pub(super) fn paragraph(spec: &OperationSpec) -> Option<String> {
    let (fields, sorts) = match spec.lists? {
        Listed::User => names::<UserField>(),
        Listed::Group => names::<GroupField>(),
        Listed::Member => names::<MemberField>(),
        Listed::Role => names::<RoleField>(),
        Listed::AuditEvent => names::<AuditEventField>(),
    };
    let examples = spec.queries.map(|example| format!("`{example}`")).join(", ");
    Some(format!(
        "Fields for `q` and `filter`: {fields}. Fields for `sort`: {sorts}. Examples: {examples}. The query syntax is described \
         in `openapi/finding.md` of the source."
    ))
}

fn names<F: Fields>() -> (String, String) {
    let list = |sorted: bool| {
        let fields = F::TABLE.iter().filter(|field| !sorted || field.sorted);
        fields.map(|field| format!("`{}`", field.name)).collect::<Vec<_>>().join(", ")
    };
    (list(false), list(true))
}

fn table<F: Fields>(whole: &str) -> String {
    let mut text = String::from(
        "| Field | Kind | Searched by bare words | `sort` | Visible to | Index |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for field in F::TABLE {
        let yes = |is: bool| if is { "yes" } else { "" };
        let name = match field.kind {
            Kind::Json => format!("{}.…", field.name),
            _ => field.name.to_owned(),
        };
        let who = if field.everyone { "everybody" } else { whole };
        text.push_str(&format!(
            "| `{name}` | {} | {} | {} | {who} | {} |\n",
            kind(field.kind),
            yes(field.searched),
            yes(field.sorted),
            field.index
        ));
    }
    text.trim_end().to_owned()
}

fn kinds() -> String {
    let mut text = String::from("| Kind | Operators of `filter` | Values |\n| --- | --- | --- |\n");
    for each in
        [Kind::Text, Kind::Word, Kind::Id, Kind::Time, Kind::Bool, Kind::Names, Kind::Groups, Kind::Json]
    {
        text.push_str(&format!("| {} | `{}` | {} |\n", kind(each), each.operators(), each.values()));
    }
    text.trim_end().to_owned()
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Id => "id",
        Kind::Text => "text",
        Kind::Word => "word",
        Kind::Bool => "boolean",
        Kind::Time => "time",
        Kind::Json => "object",
        Kind::Names => "names",
        Kind::Groups => "groups",
    }
}
