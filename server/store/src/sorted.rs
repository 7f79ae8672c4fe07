//! Lists of names from the views, sorted here: sorting in SQL costs every read one plan node per list.

use diesel::deserialize::{Queryable, Result};
use diesel::pg::Pg;
use diesel::sql_types::{Array, Text};

/// Strings in byte order without duplicates; for `deserialize_as`.
#[derive(Debug)]
pub struct Sorted(Vec<String>);

impl Queryable<Array<Text>, Pg> for Sorted {
    type Row = Vec<String>;

    fn build(mut row: Vec<String>) -> Result<Self> {
        row.sort_unstable();
        row.dedup();
        Ok(Self(row))
    }
}

impl From<Sorted> for Vec<String> {
    fn from(sorted: Sorted) -> Self {
        sorted.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Queryable, Sorted};

    #[test]
    fn in_order_and_each_once() {
        let row = ["users:write", "audit:read", "users:write"].map(str::to_owned).to_vec();
        assert_eq!(Vec::from(Sorted::build(row).unwrap()), ["audit:read", "users:write"]);
    }
}
