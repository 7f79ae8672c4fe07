DROP VIEW grants, invitation_records, role_records, credentials, user_records;
DROP TABLE invitation_roles, invitations;
ALTER TABLE users DROP COLUMN suspended_until, DROP COLUMN suspended_reason;
ALTER TABLE groups DROP COLUMN mfa_required;
ALTER TABLE role_permissions DROP COLUMN management;
DROP INDEX roles_default_index;
ALTER TABLE roles DROP COLUMN is_default, DROP COLUMN kind;
ALTER TABLE roles DROP CONSTRAINT roles_name_key;
ALTER TABLE roles ADD CONSTRAINT roles_name_key UNIQUE (scope, name);

CREATE VIEW user_records AS
SELECT
    id, version, username, username_folded, email, email_verified, phone, phone_verified, name, avatar_url, profile,
    custom_data, preferences, suspended, password_hash IS NOT NULL AS has_password, password_changed_at,
    password_expires_at, created_via, created_at, updated_at, last_sign_in_at,
    ARRAY(
        SELECT (SELECT roles.name FROM roles WHERE roles.id = user_roles.role_id)
        FROM user_roles WHERE user_roles.user_id = users.id
    ) AS roles,
    ARRAY(
        SELECT (SELECT groups.slug FROM groups WHERE groups.id = group_members.group_id)
        FROM group_members WHERE group_members.user_id = users.id
    ) AS groups
FROM users;

CREATE VIEW credentials AS
SELECT
    sessions.token_hash, sessions.id AS session_id, sessions.user_id, sessions.created_at, sessions.authenticated_at,
    sessions.last_used_at, sessions.expires_at, sessions.address, sessions.user_agent, users.suspended,
    ARRAY(
        SELECT role_permissions.permission FROM role_permissions
        WHERE role_permissions.role_id IN (
            SELECT user_roles.role_id FROM user_roles WHERE user_roles.user_id = sessions.user_id
        )
    ) AS permissions
FROM sessions JOIN users ON users.id = sessions.user_id;
