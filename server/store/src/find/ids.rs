//! Lookup of the roles and groups that a filter names, before its statement is planned. The planner has
//! statistics about the holders of a role id, but none through a join on the name: it would scan all users to
//! find three.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rollcall_query::fields::GroupEntryField;
use rollcall_query::{Filter, Test, TextTest};
use uuid::Uuid;

use crate::error::StoreResult;
use crate::schema::{groups, roles};

/// Ids by name. A name without an entry does not exist.
#[derive(Clone, Debug, Default)]
pub struct Ids {
    roles: HashMap<String, Uuid>,
    groups: HashMap<String, Uuid>,
}

impl Ids {
    /// Looks up all names in a filter.
    pub(super) async fn of<F>(mut conn: &AsyncPgConnection, filter: &Filter<F>) -> StoreResult<Self> {
        let mut named = Named::default();
        named.add(filter);
        let mut ids = Self::default();
        if !named.roles.is_empty() {
            let query = roles::table.filter(roles::name.eq_any(named.roles)).filter(roles::deleted.eq(false));
            ids.roles = query.select((roles::name, roles::id)).load(&mut conn).await?.into_iter().collect();
        }
        if !named.groups.is_empty() {
            let query =
                groups::table.filter(groups::slug.eq_any(named.groups)).filter(groups::deleted.eq(false));
            ids.groups =
                query.select((groups::slug, groups::id)).load(&mut conn).await?.into_iter().collect();
        }
        Ok(ids)
    }

    /// The ids of the roles with these names.
    pub fn roles(&self, names: &[String]) -> Vec<Uuid> {
        names.iter().filter_map(|name| self.roles.get(name).copied()).collect()
    }

    /// The ids of the groups with these slugs.
    pub fn groups(&self, slugs: &[String]) -> Vec<Uuid> {
        slugs.iter().filter_map(|slug| self.groups.get(slug).copied()).collect()
    }
}

/// The role names and group slugs in a filter.
#[derive(Default)]
struct Named<'a> {
    roles: Vec<&'a str>,
    groups: Vec<&'a str>,
}

impl<'a> Named<'a> {
    fn add<F>(&mut self, filter: &'a Filter<F>) {
        match filter {
            Filter::All(parts) | Filter::Any(parts) => parts.iter().for_each(|part| self.add(part)),
            Filter::Not(part) => self.add(part),
            Filter::Test(_, Test::Names(names)) => self.roles.extend(names.iter().map(String::as_str)),
            Filter::Test(_, Test::Group(entry)) => self.add_entry(entry),
            Filter::Test(..) | Filter::Word(..) => {}
        }
    }

    fn add_entry(&mut self, entry: &'a Filter<GroupEntryField>) {
        match entry {
            Filter::All(parts) | Filter::Any(parts) => parts.iter().for_each(|part| self.add_entry(part)),
            Filter::Not(part) => self.add_entry(part),
            Filter::Test(GroupEntryField::Slug, Test::Text(TextTest::Equal(slugs, _))) => {
                self.groups.extend(slugs.iter().map(String::as_str));
            }
            entry => self.add(entry),
        }
    }
}
