//! What each operation does, through the generated client: one file for each tag of the document. `users` shows the
//! pattern.

mod users;
