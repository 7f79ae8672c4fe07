-- References to a deleted user in groups they created and in invitations are erased like those of roles and
-- groups: in batches, after the deletion. The tombstone holds the address until then.

ALTER TABLE groups DROP CONSTRAINT groups_created_by_fkey;
ALTER TABLE invitations DROP CONSTRAINT invitations_invited_by_fkey;
ALTER TABLE deleted_users ADD COLUMN erased boolean NOT NULL DEFAULT true;
ALTER TABLE deleted_users ADD COLUMN email_folded text COLLATE "C";
CREATE INDEX deleted_users_left_index ON deleted_users (id) WHERE NOT erased;
