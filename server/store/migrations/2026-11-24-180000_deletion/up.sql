-- A deleted role or group is marked, which updates one row regardless of the number of holders, and
-- disappears for every reader at once. The server then erases its holders, members and invitations in
-- batches, and finally the row.

ALTER TABLE roles ADD COLUMN deleted boolean NOT NULL DEFAULT false;
ALTER TABLE groups ADD COLUMN deleted boolean NOT NULL DEFAULT false;
CREATE INDEX roles_deleted_index ON roles (id) WHERE deleted;
CREATE INDEX groups_deleted_index ON groups (id) WHERE deleted;

-- Their names can be reused meanwhile.
ALTER TABLE roles DROP CONSTRAINT roles_name_key;
CREATE UNIQUE INDEX roles_name_key ON roles (name) WHERE NOT deleted;
ALTER TABLE groups DROP CONSTRAINT groups_slug_key;
CREATE UNIQUE INDEX groups_slug_key ON groups (slug) WHERE NOT deleted;

-- Entity tags are digests of the response, so version columns are no longer needed. Permissions of a deleted
-- role are deleted with the mark, so that views which start from them need not check the role.
DROP VIEW user_records, role_records, membership_records, invitation_records, grants, group_grants;
ALTER TABLE users DROP COLUMN version;
ALTER TABLE roles DROP COLUMN version;
ALTER TABLE groups DROP COLUMN version;

CREATE VIEW user_records AS
SELECT
    id, username, username_folded, email, email_verified, phone, phone_verified, name, avatar_url, profile,
    custom_data, suspended, suspended_reason, suspended_until, password_hash IS NOT NULL AS has_password,
    password_changed_at, password_expires_at, created_via, created_at, updated_at, last_sign_in_at,
    -- A look-up of each name that finds nothing where it is deleted: cheaper than a join.
    array_remove(ARRAY(
        SELECT (SELECT roles.name FROM roles WHERE roles.id = user_roles.role_id AND NOT roles.deleted)
        FROM user_roles WHERE user_roles.user_id = users.id
    ), NULL) AS roles,
    array_remove(ARRAY(
        SELECT (SELECT groups.slug FROM groups WHERE groups.id = group_members.group_id AND NOT groups.deleted)
        FROM group_members WHERE group_members.user_id = users.id
    ), NULL) AS groups,
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
    id, scope, name, kind, description, is_default, built_in, created_at, updated_at,
    ARRAY(
        SELECT permission FROM role_permissions WHERE role_permissions.role_id = roles.id ORDER BY permission
    ) AS permissions
FROM roles
WHERE NOT deleted;

CREATE VIEW membership_records AS
SELECT
    group_id, user_id, joined_at,
    ARRAY(
        SELECT roles.name FROM group_member_roles JOIN roles ON roles.id = group_member_roles.role_id
        WHERE group_member_roles.group_id = group_members.group_id
          AND group_member_roles.user_id = group_members.user_id AND NOT roles.deleted ORDER BY roles.name
    ) AS roles
FROM group_members;

CREATE VIEW invitation_records AS
SELECT
    id, group_id, token_hash, email, email_folded, invited_by, created_at, expires_at,
    ARRAY(
        SELECT roles.name FROM invitation_roles JOIN roles ON roles.id = invitation_roles.role_id
        WHERE invitation_roles.invitation_id = invitations.id AND NOT roles.deleted ORDER BY roles.name
    ) AS roles
FROM invitations
WHERE EXISTS (SELECT FROM groups WHERE groups.id = invitations.group_id AND NOT groups.deleted);

CREATE VIEW group_grants AS
SELECT group_member_roles.user_id, group_member_roles.group_id, roles.name AS role, role_permissions.permission
FROM group_member_roles
JOIN groups ON groups.id = group_member_roles.group_id
JOIN roles ON roles.id = group_member_roles.role_id
JOIN role_permissions ON role_permissions.role_id = roles.id
WHERE NOT groups.deleted;

CREATE VIEW grants AS
SELECT user_id, NULL::uuid AS group_id, role, permission FROM global_grants
UNION ALL
SELECT user_id, group_id, role, permission FROM group_grants;
