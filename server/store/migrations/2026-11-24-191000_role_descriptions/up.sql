-- The folded description of a role, so that lists of roles can be searched by it. `search_indexes` fills it.
ALTER TABLE roles ADD COLUMN description_folded text COLLATE "C";

CREATE OR REPLACE VIEW role_records AS
SELECT
    id, scope, name, kind, description, is_default, built_in, created_at, updated_at,
    ARRAY(
        SELECT permission FROM role_permissions WHERE role_permissions.role_id = roles.id ORDER BY permission
    ) AS permissions,
    description_folded
FROM roles
WHERE NOT deleted;
