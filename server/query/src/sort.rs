//! Sort orders of lists, such as `-created_at,username`.

use crate::SORT_KEYS_MAX;
use crate::check::Sight;
use crate::error::{QueryError, QueryResult};
use crate::field::Fields;

/// One field of a sort order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortKey<F> {
    /// The field.
    pub field: F,
    /// Ascending or descending.
    pub direction: Direction,
}

/// Direction of sorting. Rows without a value come last in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Greatest first.
    Descending,
}

/// Parses a sort order. Fails if a field is unknown, invisible, unsortable or listed twice, or if there are too many.
pub fn parse<F: Fields>(text: &str, sight: Sight) -> QueryResult<Vec<SortKey<F>>> {
    let mut keys: Vec<SortKey<F>> = Vec::new();
    let mut at = 0;
    for part in text.split(',') {
        let trimmed = part.trim();
        let start = at + part.chars().take_while(|character| character.is_whitespace()).count();
        let (direction, name) = match trimmed.strip_prefix('-') {
            Some(name) => (Direction::Descending, name),
            None => (Direction::Ascending, trimmed),
        };
        let seen = F::named(name).filter(|field| field.sorted && sight.sees(field));
        let Some(field) = seen else {
            let names: Vec<&str> = F::TABLE
                .iter()
                .filter(|field| field.sorted && sight.sees(field))
                .map(|field| field.name)
                .collect();
            let message = format!("can't sort by {name:?}; allowed: {}", names.join(", "));
            return Err(QueryError::at(start, message));
        };
        if keys.iter().any(|key| key.field == field.id) {
            return Err(QueryError::at(start, format!("{name} is listed twice; name each field once")));
        }
        if keys.len() == SORT_KEYS_MAX {
            return Err(QueryError::at(start, format!("at most {SORT_KEYS_MAX} fields")));
        }
        keys.push(SortKey { field: field.id, direction });
        at += part.chars().count() + 1;
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::UserField;

    #[test]
    fn names_and_directions_are_read() {
        let keys = parse::<UserField>("-created_at, username", Sight::Whole).unwrap();
        assert_eq!(
            keys,
            [
                SortKey { field: UserField::CreatedAt, direction: Direction::Descending },
                SortKey { field: UserField::Username, direction: Direction::Ascending },
            ]
        );
    }

    #[test]
    fn errors_have_positions() {
        let error = |text, sight| parse::<UserField>(text, sight).unwrap_err();
        assert_eq!(error("username, color", Sight::Whole).position, Some(10));
        assert_eq!(error("-email", Sight::Card).position, Some(0));
        assert!(error("-email", Sight::Card).message.ends_with("allowed: id, username, name"));
        assert_eq!(error("name,-name", Sight::Whole).message, "name is listed twice; name each field once");
        assert_eq!(error("id,name,username,email", Sight::Whole).message, "at most 3 fields");
        for junk in ["", ",", "name,", "--name", "+name", "custom_data"] {
            assert!(parse::<UserField>(junk, Sight::Whole).is_err(), "{junk}");
        }
    }
}
