-- What the server's role may do is granted after each run, not here: its name is the installation's.
-- Here is the index for suspensions whose end has come.
CREATE INDEX users_suspension_index ON users (suspended_until) WHERE suspended;
