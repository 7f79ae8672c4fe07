//! Random orders.

use std::cmp::Ordering;

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::expression::{found, kind, order};
use super::people::Someone;

const FIELDS: &[&str] = &[
    "id",
    "username",
    "email",
    "name",
    "given_name",
    "family_name",
    "suspended",
    "created_at",
    "updated_at",
    "last_sign_in_at",
];

/// Fields with a flag for descending order.
#[derive(Clone, Debug)]
pub struct Order(Vec<(&'static str, bool)>);

impl Order {
    pub fn random(random: &mut StdRng) -> Self {
        let count = random.random_range(1..=3);
        Self(FIELDS.sample(random, count).map(|field| (*field, random.random())).collect())
    }

    pub fn written(&self) -> String {
        let fields: Vec<String> = self
            .0
            .iter()
            .map(|(field, descends)| format!("{}{field}", if *descends { "-" } else { "" }))
            .collect();
        fields.join(",")
    }

    /// Missing values come last in both directions; the id breaks ties, in the direction of the last field.
    pub fn compare(&self, one: &Someone, other: &Someone) -> Ordering {
        let last = self.0.last().map(|(_, descends)| ("id", *descends));
        for (field, descends) in self.0.iter().copied().chain(last) {
            let path = [field.to_owned()];
            let ordering = match (found(one, &path), found(other, &path)) {
                (Some(one), Some(other)) if descends => order(kind(&path), other, one),
                (Some(one), Some(other)) => order(kind(&path), one, other),
                (one, other) => one.is_none().cmp(&other.is_none()),
            };
            if ordering.is_ne() {
                return ordering;
            }
        }
        Ordering::Equal
    }
}
