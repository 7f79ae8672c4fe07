DROP TRIGGER users_derived ON users;
DROP TRIGGER groups_derived ON groups;
DROP TRIGGER roles_derived ON roles;
DROP FUNCTION forget_derived;

DROP VIEW user_records, role_records;
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
    ) AS permissions,
    description_folded
FROM roles
WHERE NOT deleted;

ALTER TABLE roles DROP COLUMN search;
ALTER TABLE groups DROP COLUMN search;
ALTER TABLE groups DROP COLUMN name_key;
ALTER TABLE users DROP COLUMN search;
ALTER TABLE users DROP COLUMN sort_keys;
