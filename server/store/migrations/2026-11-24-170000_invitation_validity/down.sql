DROP INDEX invitations_email_index;
ALTER TABLE users DROP COLUMN invitations_void_before;
