DROP INDEX users_suspension_index;
