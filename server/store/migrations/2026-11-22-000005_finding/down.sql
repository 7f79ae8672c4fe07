DROP VIEW user_records;
CREATE VIEW user_records AS
SELECT
    id, version, username, username_folded, email, email_verified, phone, phone_verified, name, avatar_url, profile,
    custom_data, preferences, suspended, suspended_reason, suspended_until, password_hash IS NOT NULL AS has_password,
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
    ) AS is_staff
FROM users;

ALTER TABLE groups DROP COLUMN name_folded;
ALTER TABLE users DROP COLUMN family_name_folded;
ALTER TABLE users DROP COLUMN given_name_folded;
ALTER TABLE users DROP COLUMN name_folded;
