DROP VIEW role_records;
CREATE VIEW role_records AS
SELECT
    id, scope, name, kind, description, is_default, built_in, created_at, updated_at,
    ARRAY(
        SELECT permission FROM role_permissions WHERE role_permissions.role_id = roles.id ORDER BY permission
    ) AS permissions
FROM roles
WHERE NOT deleted;

ALTER TABLE roles DROP COLUMN description_folded;
