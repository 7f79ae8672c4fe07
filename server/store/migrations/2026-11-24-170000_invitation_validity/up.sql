-- Invitations sent before their sender was suspended, or before the sender's password was reset, stay void.
ALTER TABLE users ADD COLUMN invitations_void_before timestamptz;

-- Invitations to an address, for the deletion of the address's owner.
CREATE INDEX invitations_email_index ON invitations (email_folded);
