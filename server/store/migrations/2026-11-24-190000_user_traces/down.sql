UPDATE groups SET created_by = NULL WHERE created_by IN (SELECT id FROM deleted_users WHERE NOT erased);
UPDATE invitations SET invited_by = NULL WHERE invited_by IN (SELECT id FROM deleted_users WHERE NOT erased);
DELETE FROM invitations USING deleted_users
WHERE invitations.email_folded = deleted_users.email_folded AND created_at <= deleted_at AND NOT erased;

DROP INDEX deleted_users_left_index;
ALTER TABLE deleted_users DROP COLUMN email_folded, DROP COLUMN erased;
ALTER TABLE groups ADD CONSTRAINT groups_created_by_fkey FOREIGN KEY (created_by) REFERENCES users ON DELETE SET NULL;
ALTER TABLE invitations
    ADD CONSTRAINT invitations_invited_by_fkey FOREIGN KEY (invited_by) REFERENCES users ON DELETE SET NULL;
