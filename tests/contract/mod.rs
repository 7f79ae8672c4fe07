//! The server held to what it promises in writing: its document, its table of access, the edges between its crates, its
//! schema, the floors of its dependencies.

mod access;
mod all_or_nothing;
mod bad_input;
mod boundaries;
mod database_roles;
mod documented;
mod edges;
mod examples_of_lists;
mod floors;
mod no_query;
mod page_tokens;
mod permit;
mod recipes;
mod schema;
mod shapes;
mod trail;
mod validator;
mod wire;
