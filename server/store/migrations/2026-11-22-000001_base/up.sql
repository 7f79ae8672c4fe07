-- Users, sessions, roles, groups, stored responses and the audit trail.
-- Names are folded in Rust and compared as bytes here; times always come from the server.

CREATE TABLE users (
    id uuid PRIMARY KEY,
    version bigint NOT NULL DEFAULT 1,
    username text,
    username_folded text COLLATE "C" CONSTRAINT users_username_key UNIQUE,
    email text,
    email_folded text COLLATE "C" CONSTRAINT users_email_key UNIQUE,
    email_verified boolean NOT NULL DEFAULT false,
    phone text COLLATE "C" CONSTRAINT users_phone_key UNIQUE,
    phone_verified boolean NOT NULL DEFAULT false,
    name text,
    avatar_url text,
    profile jsonb NOT NULL DEFAULT '{}',
    custom_data jsonb NOT NULL DEFAULT '{}',
    preferences jsonb NOT NULL DEFAULT '{}',
    suspended boolean NOT NULL DEFAULT false,
    password_hash text,
    password_changed_at timestamptz,
    password_expires_at timestamptz,
    created_via text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    last_sign_in_at timestamptz,
    CONSTRAINT users_identifier_check CHECK (num_nonnulls(username_folded, email_folded, phone) > 0)
);

-- The id of a deleted user, for the audit trail. No other data of the user is kept.
CREATE TABLE deleted_users (
    id uuid PRIMARY KEY,
    deleted_at timestamptz NOT NULL
);

CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    token_hash bytea NOT NULL CONSTRAINT sessions_token_key UNIQUE,
    created_at timestamptz NOT NULL,
    authenticated_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    address text,
    user_agent text
);
CREATE INDEX sessions_user_index ON sessions (user_id, id);
CREATE INDEX sessions_expiry_index ON sessions (expires_at);

CREATE TABLE roles (
    id uuid PRIMARY KEY,
    version bigint NOT NULL DEFAULT 1,
    scope text NOT NULL CHECK (scope IN ('global', 'group')),
    name text COLLATE "C" NOT NULL,
    description text,
    built_in boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT roles_name_key UNIQUE (scope, name)
);

CREATE TABLE role_permissions (
    role_id uuid NOT NULL REFERENCES roles ON DELETE CASCADE,
    permission text COLLATE "C" NOT NULL,
    PRIMARY KEY (role_id, permission)
);

CREATE TABLE user_roles (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    role_id uuid NOT NULL REFERENCES roles,
    granted_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, role_id)
);
CREATE INDEX user_roles_role_index ON user_roles (role_id, user_id);

CREATE TABLE groups (
    id uuid PRIMARY KEY,
    version bigint NOT NULL DEFAULT 1,
    slug text COLLATE "C" NOT NULL CONSTRAINT groups_slug_key UNIQUE,
    name text NOT NULL,
    description text,
    custom_data jsonb NOT NULL DEFAULT '{}',
    is_default boolean NOT NULL DEFAULT false,
    created_by uuid REFERENCES users ON DELETE SET NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX groups_default_key ON groups (is_default) WHERE is_default;
CREATE INDEX groups_creator_index ON groups (created_by);

CREATE TABLE group_members (
    group_id uuid NOT NULL REFERENCES groups ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    joined_at timestamptz NOT NULL,
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX group_members_user_index ON group_members (user_id, group_id);

CREATE TABLE group_member_roles (
    group_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role_id uuid NOT NULL REFERENCES roles,
    PRIMARY KEY (group_id, user_id, role_id),
    FOREIGN KEY (group_id, user_id) REFERENCES group_members ON DELETE CASCADE
);
CREATE INDEX group_member_roles_role_index ON group_member_roles (role_id);

CREATE TABLE audit_events (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    operation text NOT NULL,
    actor_id uuid,
    session_id uuid,
    target_kind text,
    target_id uuid,
    result text NOT NULL CHECK (result IN ('done', 'refused', 'failed')),
    error_code text,
    address text,
    request_id text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_events_actor_index ON audit_events (actor_id, id);
CREATE INDEX audit_events_target_index ON audit_events (target_id, id);

CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are append-only';
END
$$;
CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

CREATE TABLE idempotency_keys (
    caller text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    operation text NOT NULL,
    request_hash bytea NOT NULL,
    resource_id uuid NOT NULL,
    body text NOT NULL,
    location text NOT NULL,
    etag text NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_keys_resource_index ON idempotency_keys (resource_id);
CREATE INDEX idempotency_keys_expiry_index ON idempotency_keys (expires_at);

CREATE TABLE attempts (
    key bytea PRIMARY KEY,
    window_start timestamptz NOT NULL,
    count integer NOT NULL
);
CREATE INDEX attempts_window_index ON attempts (window_start);

CREATE TABLE server_keys (
    purpose text PRIMARY KEY,
    key bytea NOT NULL,
    created_at timestamptz NOT NULL
);

-- The user fields that responses present. Inlined by the planner: a lookup by id stays an index lookup. The
-- arrays of this view and the next are unsorted and use no joins: every plan node adds to the latency of each
-- request. The store sorts them.
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

-- A bearer token's session and its owner's permissions. A permission from two roles appears twice.
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

CREATE VIEW membership_records AS
SELECT
    group_id, user_id, joined_at,
    ARRAY(
        SELECT roles.name FROM group_member_roles JOIN roles ON roles.id = group_member_roles.role_id
        WHERE group_member_roles.group_id = group_members.group_id
          AND group_member_roles.user_id = group_members.user_id ORDER BY roles.name
    ) AS roles
FROM group_members;
