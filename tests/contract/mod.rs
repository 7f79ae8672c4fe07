//! Tests of the server against its written contracts: the document, the access rules, the dependencies between its crates, the
//! database schema, the minimum versions of its dependencies.

mod access;
mod all_or_nothing;
mod bad_input;
mod boundaries;
mod database_roles;
mod documented;
mod edges;
mod examples_of_lists;
mod min_versions;
mod no_query;
mod page_tokens;
mod permit;
mod recipes;
mod schema;
mod shapes;
mod trail;
mod validator;
mod wire;
