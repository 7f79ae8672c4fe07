//! The tables and views for Diesel. A test compares this file with a migrated database.

use diesel::{allow_tables_to_appear_in_same_query, joinable, table};

table! {
    users (id) {
        id -> Uuid,
        username -> Nullable<Text>,
        username_folded -> Nullable<Text>,
        email -> Nullable<Text>,
        email_folded -> Nullable<Text>,
        email_verified -> Bool,
        phone -> Nullable<Text>,
        phone_verified -> Bool,
        name -> Nullable<Text>,
        avatar_url -> Nullable<Text>,
        profile -> Jsonb,
        custom_data -> Jsonb,
        preferences -> Jsonb,
        suspended -> Bool,
        password_hash -> Nullable<Text>,
        password_changed_at -> Nullable<Timestamptz>,
        password_expires_at -> Nullable<Timestamptz>,
        created_via -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        last_sign_in_at -> Nullable<Timestamptz>,
        suspended_reason -> Nullable<Text>,
        suspended_until -> Nullable<Timestamptz>,
        name_folded -> Nullable<Text>,
        given_name_folded -> Nullable<Text>,
        family_name_folded -> Nullable<Text>,
        invitations_void_before -> Nullable<Timestamptz>,
        sort_keys -> Nullable<Array<Nullable<Bytea>>>,
        search -> Nullable<Text>,
    }
}

table! {
    deleted_users (id) {
        id -> Uuid,
        deleted_at -> Timestamptz,
        erased -> Bool,
        email_folded -> Nullable<Text>,
    }
}

table! {
    sessions (id) {
        id -> Uuid,
        user_id -> Uuid,
        token_hash -> Bytea,
        created_at -> Timestamptz,
        authenticated_at -> Timestamptz,
        last_used_at -> Timestamptz,
        expires_at -> Timestamptz,
        address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
    }
}

table! {
    roles (id) {
        id -> Uuid,
        scope -> Text,
        name -> Text,
        description -> Nullable<Text>,
        built_in -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        kind -> Text,
        is_default -> Bool,
        deleted -> Bool,
        description_folded -> Nullable<Text>,
        search -> Nullable<Text>,
    }
}

table! {
    role_permissions (role_id, permission) {
        role_id -> Uuid,
        permission -> Text,
        management -> Bool,
    }
}

table! {
    user_roles (user_id, role_id) {
        user_id -> Uuid,
        role_id -> Uuid,
        granted_at -> Timestamptz,
    }
}

table! {
    groups (id) {
        id -> Uuid,
        slug -> Text,
        name -> Text,
        description -> Nullable<Text>,
        custom_data -> Jsonb,
        is_default -> Bool,
        created_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        mfa_required -> Bool,
        name_folded -> Nullable<Text>,
        deleted -> Bool,
        name_key -> Nullable<Bytea>,
        search -> Nullable<Text>,
    }
}

table! {
    group_members (group_id, user_id) {
        group_id -> Uuid,
        user_id -> Uuid,
        joined_at -> Timestamptz,
    }
}

table! {
    group_member_roles (group_id, user_id, role_id) {
        group_id -> Uuid,
        user_id -> Uuid,
        role_id -> Uuid,
    }
}

table! {
    audit_events (id) {
        id -> Uuid,
        at -> Timestamptz,
        operation -> Text,
        actor_id -> Nullable<Uuid>,
        session_id -> Nullable<Uuid>,
        target_kind -> Nullable<Text>,
        target_id -> Nullable<Uuid>,
        result -> Text,
        error_code -> Nullable<Text>,
        address -> Nullable<Text>,
        request_id -> Text,
        detail -> Jsonb,
    }
}

table! {
    idempotency_keys (caller, key) {
        caller -> Text,
        key -> Text,
        operation -> Text,
        request_hash -> Bytea,
        resource_id -> Uuid,
        body -> Text,
        location -> Text,
        etag -> Text,
        expires_at -> Timestamptz,
    }
}

table! {
    attempts (key) {
        key -> Bytea,
        window_start -> Timestamptz,
        count -> Int4,
    }
}

table! {
    server_keys (purpose) {
        purpose -> Text,
        key -> Bytea,
        created_at -> Timestamptz,
    }
}

table! {
    user_records (id) {
        id -> Uuid,
        username -> Nullable<Text>,
        username_folded -> Nullable<Text>,
        email -> Nullable<Text>,
        email_verified -> Bool,
        phone -> Nullable<Text>,
        phone_verified -> Bool,
        name -> Nullable<Text>,
        avatar_url -> Nullable<Text>,
        profile -> Jsonb,
        custom_data -> Jsonb,
        suspended -> Bool,
        suspended_reason -> Nullable<Text>,
        suspended_until -> Nullable<Timestamptz>,
        has_password -> Bool,
        password_changed_at -> Nullable<Timestamptz>,
        password_expires_at -> Nullable<Timestamptz>,
        created_via -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        last_sign_in_at -> Nullable<Timestamptz>,
        roles -> Array<Text>,
        groups -> Array<Text>,
        is_staff -> Bool,
        email_folded -> Nullable<Text>,
        name_folded -> Nullable<Text>,
        given_name -> Nullable<Text>,
        given_name_folded -> Nullable<Text>,
        family_name -> Nullable<Text>,
        family_name_folded -> Nullable<Text>,
        search -> Nullable<Text>,
        sort_keys -> Nullable<Array<Nullable<Bytea>>>,
    }
}

table! {
    credentials (session_id) {
        token_hash -> Bytea,
        session_id -> Uuid,
        user_id -> Uuid,
        created_at -> Timestamptz,
        authenticated_at -> Timestamptz,
        last_used_at -> Timestamptz,
        expires_at -> Timestamptz,
        address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        suspended -> Bool,
        suspended_until -> Nullable<Timestamptz>,
        permissions -> Array<Text>,
    }
}

table! {
    membership_records (group_id, user_id) {
        group_id -> Uuid,
        user_id -> Uuid,
        joined_at -> Timestamptz,
        roles -> Array<Text>,
    }
}

table! {
    invitations (id) {
        id -> Uuid,
        group_id -> Uuid,
        token_hash -> Bytea,
        email -> Nullable<Text>,
        email_folded -> Nullable<Text>,
        invited_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

table! {
    invitation_roles (invitation_id, role_id) {
        invitation_id -> Uuid,
        role_id -> Uuid,
    }
}

table! {
    role_records (id) {
        id -> Uuid,
        scope -> Text,
        name -> Text,
        kind -> Text,
        description -> Nullable<Text>,
        is_default -> Bool,
        built_in -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        permissions -> Array<Text>,
        description_folded -> Nullable<Text>,
        search -> Nullable<Text>,
    }
}

table! {
    invitation_records (id) {
        id -> Uuid,
        group_id -> Uuid,
        token_hash -> Bytea,
        email -> Nullable<Text>,
        email_folded -> Nullable<Text>,
        invited_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        roles -> Array<Text>,
    }
}

table! {
    grants (user_id, permission) {
        user_id -> Uuid,
        group_id -> Nullable<Uuid>,
        role -> Text,
        permission -> Text,
    }
}

table! {
    global_grants (user_id, permission) {
        user_id -> Uuid,
        role -> Text,
        permission -> Text,
    }
}

table! {
    group_grants (user_id, group_id, permission) {
        user_id -> Uuid,
        group_id -> Uuid,
        role -> Text,
        permission -> Text,
    }
}

joinable!(membership_records -> user_records (user_id));
joinable!(membership_records -> groups (group_id));
joinable!(user_roles -> roles (role_id));
joinable!(user_roles -> users (user_id));
joinable!(group_members -> groups (group_id));
joinable!(group_member_roles -> roles (role_id));
allow_tables_to_appear_in_same_query!(
    deleted_users,
    global_grants,
    grants,
    group_grants,
    group_member_roles,
    group_members,
    groups,
    idempotency_keys,
    invitation_roles,
    invitations,
    membership_records,
    role_permissions,
    role_records,
    roles,
    sessions,
    user_records,
    user_roles,
    users,
);
