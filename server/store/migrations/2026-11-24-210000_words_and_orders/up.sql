-- Columns for searching and sorting lists, in addition to folded texts: sort keys in collation order, and the
-- words of all searched texts without diacritics. `server/store/src/derived` derives them and documents their
-- formats. New columns are empty and added without a table rewrite; `search_indexes` fills them and builds
-- the indexes.
ALTER TABLE users ADD COLUMN sort_keys bytea[];
ALTER TABLE users ADD COLUMN search text COLLATE "C";
ALTER TABLE groups ADD COLUMN name_key bytea;
ALTER TABLE groups ADD COLUMN search text COLLATE "C";
ALTER TABLE roles ADD COLUMN search text COLLATE "C";

DROP VIEW user_records;
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
    search,
    sort_keys
FROM users;

CREATE OR REPLACE VIEW role_records AS
SELECT
    id, scope, name, kind, description, is_default, built_in, created_at, updated_at,
    ARRAY(
        SELECT permission FROM role_permissions WHERE role_permissions.role_id = roles.id ORDER BY permission
    ) AS permissions,
    description_folded,
    search
FROM roles
WHERE NOT deleted;

-- Servers older than these columns write names without them, also beside a newer server. Such a row is
-- derived again.
CREATE FUNCTION forget_derived() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search := NULL;
    RETURN NEW;
END
$$;
CREATE TRIGGER users_derived
    BEFORE UPDATE OF username_folded, email_folded, phone, name_folded, given_name_folded, family_name_folded ON users
    FOR EACH ROW WHEN (
        OLD.search = NEW.search
        AND (OLD.username_folded, OLD.email_folded, OLD.phone, OLD.name_folded, OLD.given_name_folded, OLD.family_name_folded)
            IS DISTINCT FROM
            (NEW.username_folded, NEW.email_folded, NEW.phone, NEW.name_folded, NEW.given_name_folded, NEW.family_name_folded)
    ) EXECUTE FUNCTION forget_derived();
CREATE TRIGGER groups_derived BEFORE UPDATE OF slug, name_folded ON groups
    FOR EACH ROW WHEN (
        OLD.search = NEW.search AND (OLD.slug, OLD.name_folded) IS DISTINCT FROM (NEW.slug, NEW.name_folded)
    ) EXECUTE FUNCTION forget_derived();
CREATE TRIGGER roles_derived BEFORE UPDATE OF name, description_folded ON roles
    FOR EACH ROW WHEN (
        OLD.search = NEW.search AND (OLD.name, OLD.description_folded) IS DISTINCT FROM (NEW.name, NEW.description_folded)
    ) EXECUTE FUNCTION forget_derived();
