//! Random trees, serialized in each language and parsed again, stay the same.

mod trees;
mod write;

use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};
use rollcall_query::{json_logic, scim, search};

use crate::support::placeless;

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn scim_round_trips(tree in trees::scim()) {
        let text = write::scim(&tree);
        prop_assert_eq!(scim::parse(&text).map(placeless), Ok(tree), "{}", text);
    }

    #[test]
    fn json_logic_round_trips(tree in trees::json_logic()) {
        let text = write::json_logic(&tree).to_string();
        prop_assert_eq!(json_logic::parse(&text).map(placeless), Ok(tree), "{}", text);
    }

    #[test]
    fn search_text_round_trips(tree in trees::search()) {
        for quote in [None, Some('"'), Some('\'')] {
            let text = write::search(&tree, quote);
            prop_assert_eq!(search::parse(&text).map(placeless), Ok(tree.clone()), "{}", text);
        }
    }
}
