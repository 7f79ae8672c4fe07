-- Custom roles, groups created by users, invitations, suspension with reason and end.

ALTER TABLE roles DROP CONSTRAINT roles_name_key;
ALTER TABLE roles ADD CONSTRAINT roles_name_key UNIQUE (name);
ALTER TABLE roles ADD COLUMN kind text NOT NULL DEFAULT 'user' CHECK (kind IN ('user', 'machine'));
ALTER TABLE roles ADD COLUMN is_default boolean NOT NULL DEFAULT false;
CREATE INDEX roles_default_index ON roles (id) WHERE is_default;

-- True for Rollcall's own permissions that apply everywhere: their holders are staff.
ALTER TABLE role_permissions ADD COLUMN management boolean NOT NULL
    GENERATED ALWAYS AS (permission ~ '^(audit|groups|providers|roles|users):') STORED;

ALTER TABLE groups ADD COLUMN mfa_required boolean NOT NULL DEFAULT false;

ALTER TABLE users ADD COLUMN suspended_reason text;
ALTER TABLE users ADD COLUMN suspended_until timestamptz;

CREATE TABLE invitations (
    id uuid PRIMARY KEY,
    group_id uuid NOT NULL REFERENCES groups ON DELETE CASCADE,
    token_hash bytea NOT NULL CONSTRAINT invitations_token_key UNIQUE,
    email text,
    email_folded text COLLATE "C",
    invited_by uuid REFERENCES users ON DELETE SET NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX invitations_group_index ON invitations (group_id, id);
CREATE INDEX invitations_inviter_index ON invitations (invited_by);
CREATE INDEX invitations_expiry_index ON invitations (expires_at);

CREATE TABLE invitation_roles (
    invitation_id uuid NOT NULL REFERENCES invitations ON DELETE CASCADE,
    role_id uuid NOT NULL REFERENCES roles ON DELETE CASCADE,
    PRIMARY KEY (invitation_id, role_id)
);
CREATE INDEX invitation_roles_role_index ON invitation_roles (role_id);

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

DROP VIEW credentials;
CREATE VIEW credentials AS
SELECT
    sessions.token_hash, sessions.id AS session_id, sessions.user_id, sessions.created_at, sessions.authenticated_at,
    sessions.last_used_at, sessions.expires_at, sessions.address, sessions.user_agent, users.suspended,
    users.suspended_until,
    ARRAY(
        SELECT role_permissions.permission FROM role_permissions
        WHERE role_permissions.role_id IN (
            SELECT user_roles.role_id FROM user_roles WHERE user_roles.user_id = sessions.user_id
        )
    ) AS permissions
FROM sessions JOIN users ON users.id = sessions.user_id;

CREATE VIEW role_records AS
SELECT
    id, version, scope, name, kind, description, is_default, built_in, created_at, updated_at,
    ARRAY(
        SELECT permission FROM role_permissions WHERE role_permissions.role_id = roles.id ORDER BY permission
    ) AS permissions
FROM roles;

CREATE VIEW invitation_records AS
SELECT
    id, group_id, token_hash, email, email_folded, invited_by, created_at, expires_at,
    ARRAY(
        SELECT roles.name FROM invitation_roles JOIN roles ON roles.id = invitation_roles.role_id
        WHERE invitation_roles.invitation_id = invitations.id ORDER BY roles.name
    ) AS roles
FROM invitations;

-- The role that gives a user a permission, and the group where it applies: group_id is null for global roles.
CREATE VIEW grants AS
SELECT user_roles.user_id, NULL::uuid AS group_id, roles.name AS role, role_permissions.permission
FROM user_roles
JOIN roles ON roles.id = user_roles.role_id
JOIN role_permissions ON role_permissions.role_id = roles.id
UNION ALL
SELECT group_member_roles.user_id, group_member_roles.group_id, roles.name, role_permissions.permission
FROM group_member_roles
JOIN roles ON roles.id = group_member_roles.role_id
JOIN role_permissions ON role_permissions.role_id = roles.id;
