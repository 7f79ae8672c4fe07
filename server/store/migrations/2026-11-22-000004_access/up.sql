-- Access checks take one statement, and a page of audit events costs the same regardless of the trail's
-- length.

-- The two halves of `grants` as separate views: permissions from global roles, and from roles in a group.
CREATE VIEW global_grants AS
SELECT user_roles.user_id, roles.name AS role, role_permissions.permission
FROM user_roles
JOIN roles ON roles.id = user_roles.role_id
JOIN role_permissions ON role_permissions.role_id = roles.id;

CREATE VIEW group_grants AS
SELECT group_member_roles.user_id, group_member_roles.group_id, roles.name AS role, role_permissions.permission
FROM group_member_roles
JOIN roles ON roles.id = group_member_roles.role_id
JOIN role_permissions ON role_permissions.role_id = roles.id;

CREATE OR REPLACE VIEW grants AS
SELECT user_id, NULL::uuid AS group_id, role, permission FROM global_grants
UNION ALL
SELECT user_id, group_id, role, permission FROM group_grants;

-- The groups in which a user holds a role, for example an owner who is to be deleted.
DROP INDEX group_member_roles_role_index;
CREATE INDEX group_member_roles_role_index ON group_member_roles (role_id, user_id);

-- Events are listed by time, newest first; each index has that order within the columns that lists filter by.
DROP INDEX audit_events_actor_index, audit_events_target_index;
CREATE INDEX audit_events_time_index ON audit_events (at, id);
CREATE INDEX audit_events_actor_index ON audit_events (actor_id, at, id);
CREATE INDEX audit_events_target_index ON audit_events (target_id, at, id);
CREATE INDEX audit_events_operation_index ON audit_events (operation, at, id);
