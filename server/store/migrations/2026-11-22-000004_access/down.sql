DROP INDEX audit_events_operation_index, audit_events_target_index, audit_events_actor_index, audit_events_time_index;
CREATE INDEX audit_events_actor_index ON audit_events (actor_id, id);
CREATE INDEX audit_events_target_index ON audit_events (target_id, id);
DROP INDEX group_member_roles_role_index;
CREATE INDEX group_member_roles_role_index ON group_member_roles (role_id);

CREATE OR REPLACE VIEW grants AS
SELECT user_roles.user_id, NULL::uuid AS group_id, roles.name AS role, role_permissions.permission
FROM user_roles
JOIN roles ON roles.id = user_roles.role_id
JOIN role_permissions ON role_permissions.role_id = roles.id
UNION ALL
SELECT group_member_roles.user_id, group_member_roles.group_id, roles.name, role_permissions.permission
FROM group_member_roles
JOIN roles ON roles.id = group_member_roles.role_id
JOIN role_permissions ON role_permissions.role_id = roles.id;
DROP VIEW group_grants, global_grants;
