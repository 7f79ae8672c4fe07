-- The privileges of the server's role are granted after each run, not here: its name depends on the
-- installation.
-- This migration adds the index for suspensions that have ended.
CREATE INDEX users_suspension_index ON users (suspended_until) WHERE suspended;
