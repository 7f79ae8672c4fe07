//! Filters on users for the plan test: every operator of every field, with values that most users have, that
//! few have and that none have.

use rollcall_query::fields::UserField;
use rollcall_query::{Field, Fields, Kind};

/// A filter, and a flag that permits reading many rows for a page.
#[derive(Debug)]
pub struct Case {
    pub filter: String,
    pub walks: bool,
}

/// All cases.
pub fn all() -> Vec<Case> {
    UserField::TABLE.iter().flat_map(of_field).collect()
}

fn of_field(field: &Field<UserField>) -> Vec<Case> {
    let mut cases = Vec::new();
    for name in names(field) {
        let samples = samples(field, &name);
        for operator in field.kind.operators().split(", ").filter(|operator| !operator.starts_with("and ")) {
            cases.extend(of_operator(field.kind, &name, operator, &samples));
        }
    }
    if field.kind == Kind::Groups {
        for slug in ["public", "qa", "team-7", "tiny", "nobody"] {
            for role in ["owner", "member", "maintainer", "nobody"] {
                let filter = format!("groups[slug eq \"{slug}\" and role eq \"{role}\"]");
                cases.push(Case { filter, walks: false });
            }
        }
        let inner =
            ["role eq \"owner\"", "role eq \"maintainer\"", "role eq \"member\"", "not (slug eq \"public\")"];
        cases.extend(inner.map(|inner| Case { filter: format!("groups[{inner}]"), walks: false }));
    }
    cases
}

/// The names of the field in filters: for an object, some paths in it.
fn names(field: &Field<UserField>) -> Vec<String> {
    match field.id {
        UserField::CustomData => {
            ["plan", "tags", "beta", "rare", "billing.country", "billing.number", "seats", "nothing"]
                .map(|path| format!("custom_data.{path}"))
                .to_vec()
        }
        UserField::Profile => {
            ["locale", "given_name", "zoneinfo"].map(|path| format!("profile.{path}")).to_vec()
        }
        _ => vec![field.name.to_owned()],
    }
}

/// Values of a field as filters write them: first one that many have, then some that few have, last one that
/// none have.
fn samples(field: &Field<UserField>, name: &str) -> Vec<String> {
    let quoted = |values: &[&str]| values.iter().map(|value| format!("\"{value}\"")).collect();
    let plain = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    match (field.kind, name) {
        (Kind::Id, _) => {
            quoted(&["01941f29-7c00-7000-8000-000000000000", "00000000-0000-0000-0000-000000000000"])
        }
        (_, "username") => quoted(&["berg", "zuleika", "qqqq"]),
        (_, "email") => quoted(&["mail.example", "rare.example", "qqqq"]),
        (_, "phone") => quoted(&["+49170", "999999", "+4917000003"]),
        (_, "name") => quoted(&["berg", "Zuleika", "qqqq"]),
        (_, "given_name") => quoted(&["Ada", "Zuleika", "qqqq"]),
        (Kind::Text, _) => quoted(&["berg", "schwarzquist", "qqqq"]),
        (Kind::Bool, _) => plain(&["false", "true"]),
        (Kind::Names, _) => quoted(&["basic", "support", "rare", "nobody"]),
        (Kind::Groups, _) => quoted(&["public", "qa", "team-7", "tiny", "nobody"]),
        (Kind::Word, _) => quoted(&["registration", "admin", "bootstrap", "nobody"]),
        (Kind::Time, _) => quoted(&[
            "2024-01-02T00:00:00Z",
            "2025-01-01T00:00:00Z",
            "2025-11-24T00:00:00Z",
            "2030-01-01T00:00:00Z",
        ]),
        (_, "custom_data.plan") => quoted(&["free", "pro", "enterprise", "nobody"]),
        (_, "custom_data.tags") => quoted(&["t5", "u77", "nobody"]),
        (_, "custom_data.beta") => plain(&["true", "false"]),
        (_, "custom_data.rare") => quoted(&["one", "nobody"]),
        (_, "custom_data.billing.country") => quoted(&["DE", "SE", "NO"]),
        (_, "custom_data.billing.number") => quoted(&["F-700000", "F-0"]),
        (_, "custom_data.seats") => plain(&["7", "7.5"]),
        (_, "profile.locale") => quoted(&["en", "de", "xx"]),
        (_, "profile.given_name") => quoted(&["Ada", "Zuleika", "qqqq"]),
        (Kind::Json, _) => quoted(&["nobody"]),
    }
}

fn of_operator(kind: Kind, name: &str, operator: &str, samples: &[String]) -> Vec<Case> {
    // Times increase with the ids, and the planner assumes an even distribution.
    let late = kind == Kind::Time && matches!(operator, "gt" | "ge");
    let walks = operator == "ne" || late;
    let case = |value: &str| Case { filter: format!("{name} {operator} {value}"), walks };
    match (operator, kind) {
        ("pr", _) => {
            let walks = kind == Kind::Json;
            vec![
                Case { filter: format!("{name} pr"), walks },
                Case {
                    filter: format!("not ({name} pr)"),
                    walks: walks || matches!(kind, Kind::Names | Kind::Groups),
                },
            ]
        }
        ("in", _) => {
            // Also without the most frequent value.
            let lists = [samples, samples.get(1..).unwrap_or_default()];
            let lists = lists.into_iter().filter(|samples| !samples.is_empty());
            lists.map(|samples| case(&format!("({})", samples.join(", ")))).collect()
        }
        ("co" | "ew", _) => {
            let mut cases: Vec<Case> = samples.iter().map(|value| case(value)).collect();
            // Two letters within a text cannot use the index; at its end they can, together with the line
            // terminator.
            cases.push(Case { walks: operator == "co", ..case("\"qj\"") });
            cases
        }
        ("sw", _) => samples.iter().map(|value| case(value)).chain([case("\"q\""), case("\"m\"")]).collect(),
        ("gt" | "ge" | "lt" | "le", Kind::Text) => {
            ["\"!\"", "\"m\"", "\"~\""].map(case).into_iter().collect()
        }
        ("matches", _) => ["Berg", "berg$", "Zuleika", "^(Ada|Bob) ", "qq+jj", "[a-c]zz[0-9]"]
            .map(|pattern| Case { walks: true, ..case(&format!("\"{pattern}\"")) })
            .into_iter()
            .collect(),
        _ => samples.iter().map(|value| case(value)).collect(),
    }
}
