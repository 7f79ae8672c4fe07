-- Marked rows are erased: the earlier schema has no such state.
DELETE FROM user_roles WHERE role_id IN (SELECT id FROM roles WHERE deleted);
DELETE FROM group_member_roles WHERE role_id IN (SELECT id FROM roles WHERE deleted);
DELETE FROM roles WHERE deleted;
DELETE FROM groups WHERE deleted;

DROP VIEW user_records, role_records, membership_records, invitation_records, grants, group_grants;
ALTER TABLE users ADD COLUMN version bigint NOT NULL DEFAULT 1;
ALTER TABLE roles ADD COLUMN version bigint NOT NULL DEFAULT 1;
ALTER TABLE groups ADD COLUMN version bigint NOT NULL DEFAULT 1;
DROP INDEX roles_name_key, groups_slug_key, roles_deleted_index, groups_deleted_index;
ALTER TABLE roles DROP COLUMN deleted;
ALTER TABLE groups DROP COLUMN deleted;
ALTER TABLE roles ADD CONSTRAINT roles_name_key UNIQUE (name);
ALTER TABLE groups ADD CONSTRAINT groups_slug_key UNIQUE (slug);

CREATE VIEW user_records AS
SELECT
    id, version, username, username_folded, email, email_verified, phone, phone_verified, name, avatar_url, profile,
    custom_data, suspended, suspended_reason, suspended_until, password_hash IS NOT NULL AS has_password,
    password_changed_at, password_expires_at, created_via, created_at, updated_at, last_sign_in_at,
    ARRAY(
        SELECT (SELECT roles.name FROM roles WHERE roles.id = user_roles.role_id)
        FROM user_roles WHERE user_roles.user_id = users.id
    ) AS roles,
    ARRAY(
        SELECT (SELECT groups.slug FROM groups WHERE groups.id = group_members.group_id)
        FROM group_members WHERE group_members.user_id = users.id
    ) AS groups,
    EXISTS (
        SELECT FROM role_permissions
        WHERE role_permissions.management AND role_permissions.role_id IN (
            SELECT user_roles.role_id FROM user_roles WHERE user_roles.user_id = users.id
        )
    ) AS is_staff,
    email_folded,
    name_folded,
    profile ->> 'given_name' AS given_name,
    given_name_folded,
    profile ->> 'family_name' AS family_name,
    family_name_folded,
    E'\n' || coalesce(username_folded, '') || E'\n' || coalesce(email_folded, '') || E'\n' || coalesce(phone, '')
        || E'\n' || coalesce(name_folded, '') || E'\n' || coalesce(given_name_folded, '') || E'\n'
        || coalesce(family_name_folded, '') || E'\n' AS search
FROM users;

CREATE VIEW role_records AS
SELECT
    id, version, scope, name, kind, description, is_default, built_in, created_at, updated_at,
    ARRAY(
        SELECT permission FROM role_permissions WHERE role_permissions.role_id = roles.id ORDER BY permission
    ) AS permissions
FROM roles;

CREATE VIEW membership_records AS
SELECT
    group_id, user_id, joined_at,
    ARRAY(
        SELECT roles.name FROM group_member_roles JOIN roles ON roles.id = group_member_roles.role_id
        WHERE group_member_roles.group_id = group_members.group_id
          AND group_member_roles.user_id = group_members.user_id ORDER BY roles.name
    ) AS roles
FROM group_members;

CREATE VIEW invitation_records AS
SELECT
    id, group_id, token_hash, email, email_folded, invited_by, created_at, expires_at,
    ARRAY(
        SELECT roles.name FROM invitation_roles JOIN roles ON roles.id = invitation_roles.role_id
        WHERE invitation_roles.invitation_id = invitations.id ORDER BY roles.name
    ) AS roles
FROM invitations;

CREATE VIEW group_grants AS
SELECT group_member_roles.user_id, group_member_roles.group_id, roles.name AS role, role_permissions.permission
FROM group_member_roles
JOIN roles ON roles.id = group_member_roles.role_id
JOIN role_permissions ON role_permissions.role_id = roles.id;

CREATE VIEW grants AS
SELECT user_id, NULL::uuid AS group_id, role, permission FROM global_grants
UNION ALL
SELECT user_id, group_id, role, permission FROM group_grants;
