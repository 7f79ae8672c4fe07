-- Columns for filtering and sorting lists. New columns are empty and added without a table rewrite;
-- `search_indexes` fills them and builds the indexes afterwards, without blocking other transactions.

ALTER TABLE users ADD COLUMN name_folded text COLLATE "C";
ALTER TABLE users ADD COLUMN given_name_folded text COLLATE "C";
ALTER TABLE users ADD COLUMN family_name_folded text COLLATE "C";
ALTER TABLE groups ADD COLUMN name_folded text COLLATE "C";

-- `search` is exactly the expression that the trigram index is built on. Each text is a line of its own, so
-- that the index also covers its beginning and end.
DROP VIEW user_records;
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
