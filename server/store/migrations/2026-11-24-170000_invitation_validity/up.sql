-- Invitations that somebody sent before they were suspended, or before their password was reset, stay void.
ALTER TABLE users ADD COLUMN invitations_void_before timestamptz;

-- Invitations to an address, for when its owner is deleted.
CREATE INDEX invitations_email_index ON invitations (email_folded);
