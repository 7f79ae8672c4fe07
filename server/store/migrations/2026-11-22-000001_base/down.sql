DROP VIEW membership_records, credentials, user_records;
DROP TABLE server_keys, attempts, idempotency_keys, audit_events, group_member_roles, group_members, groups, user_roles,
    role_permissions, roles, sessions, deleted_users, users;
DROP FUNCTION refuse_audit_change;
