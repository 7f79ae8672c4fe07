//! The operations of the four systems that Rollcall replaces, Dioptra, Pieces, CVAT and Logto, with the
//! operation that replaces each.

use crate::support::contract::OPERATIONS;

/// System and operation there, and the operation that replaces it here.
const REPLACED: &[(&str, &str)] = &[
    ("Dioptra login", "login"),
    ("Dioptra logout", "logout"),
    ("Dioptra users list", "user_list"),
    ("Dioptra users create", "register"),
    ("Dioptra users get by id", "user_view"),
    ("Dioptra change password by id", "login_change_password"),
    ("Dioptra current user", "user_view"),
    ("Dioptra modify current user", "user_update"),
    ("Dioptra change current password", "user_password_change"),
    ("Dioptra delete current user", "user_delete"),
    ("Dioptra groups list", "group_list"),
    ("Dioptra groups get by id", "group_view"),
    ("Pieces users_snapshot", "user_list"),
    ("Pieces users_specific_user_snapshot", "user_view"),
    ("CVAT list", "user_list"),
    ("CVAT retrieve", "user_view"),
    ("CVAT retrieve_self", "user_view"),
    ("CVAT partial_update", "user_update"),
    ("CVAT destroy", "user_delete"),
    ("Logto list_users", "user_list"),
    ("Logto create_user", "user_create"),
    ("Logto get_user", "user_view"),
    ("Logto update_user", "user_update"),
    ("Logto update_user_profile", "user_update"),
    ("Logto delete_user", "user_delete"),
    ("Logto get_user_has_password", "user_view"),
    ("Logto verify_user_password", "user_password_verify"),
    ("Logto update_user_password", "user_password_set"),
    ("Logto list_user_custom_data", "user_custom_data_view"),
    ("Logto update_user_custom_data", "user_custom_data_update"),
    ("Logto list_user_organizations", "user_group_list"),
    ("Logto update_user_is_suspended", "user_suspend"),
    ("Logto list_user_roles", "user_role_list"),
    ("Logto assign_user_roles", "user_role_add"),
    ("Logto replace_user_roles", "user_role_replace"),
    ("Logto delete_user_role", "user_role_remove"),
];

/// Operations that are not implemented yet. Once an operation is in the document, its line moves to the list
/// above.
const TO_COME: &[(&str, &str)] = &[
    ("Pieces authenticate_from_oauth_token", "login_external"),
    ("Pieces users_disconnect_user", "user_disconnect"),
    ("Logto replace_user_identity", "user_identity_replace"),
    ("Logto create_user_identity", "user_identity_link"),
    ("Logto delete_user_identity", "user_identity_delete"),
    ("Logto list_user_mfa_verifications", "user_factor_list"),
    ("Logto create_user_mfa_verification", "user_factor_create"),
    ("Logto delete_user_mfa_verification", "user_factor_delete"),
    ("Logto list_user_personal_access_tokens", "user_token_list"),
    ("Logto create_user_personal_access_token", "user_token_create"),
    ("Logto update_user_personal_access_token", "user_token_update"),
    ("Logto delete_user_personal_access_token", "user_token_delete"),
];

fn exists(id: &str) -> bool {
    OPERATIONS.iter().any(|operation| operation.id == id)
}

#[test]
fn replaced_operations_are_in_the_document() {
    for (there, here) in REPLACED {
        assert!(exists(here), "{there}: `{here}` is not in the document");
    }
}

#[test]
fn planned_operations_are_not_in_the_document() {
    for (there, here) in TO_COME {
        assert!(
            !exists(here),
            "`{here}` is in the document: move `{there}` to REPLACED and test what it does"
        );
    }
}

#[test]
fn every_operation_of_the_four_systems_is_listed_once() {
    let mut all: Vec<&str> = REPLACED.iter().chain(TO_COME).map(|(there, _)| *there).collect();
    let count = |system: &str| all.iter().filter(|there| there.starts_with(system)).count();
    let counts = ["Dioptra ", "Pieces ", "CVAT ", "Logto "].map(count);
    assert_eq!(counts, [12, 4, 5, 27]);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 48);
}
