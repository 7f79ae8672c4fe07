-- One statement says who may do what, and a page of audit events costs the same however long the trail has grown.

-- The two halves of `grants`, each for itself: what a user's roles give everywhere, and in a group.
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

-- In which groups somebody holds a role, such as an owner's who is to be deleted.
DROP INDEX group_member_roles_role_index;
CREATE INDEX group_member_roles_role_index ON group_member_roles (role_id, user_id);

-- Events are listed by time, newest first; each index is in that order for what lists are narrowed by.
DROP INDEX audit_events_actor_index, audit_events_target_index;
CREATE INDEX audit_events_time_index ON audit_events (at, id);
CREATE INDEX audit_events_actor_index ON audit_events (actor_id, at, id);
CREATE INDEX audit_events_target_index ON audit_events (target_id, at, id);
CREATE INDEX audit_events_operation_index ON audit_events (operation, at, id);
