//! The README's example. The tests run it against a server.

use rollcall_client::{Clear, Client, Error, Paged, error_code, types};

pub async fn story(url: &str, username: &str, password: &str) -> Result<Vec<String>, Error> {
    let session = Client::new(url)?.login(username, password).await?;

    // Setters take plain text. A value that breaks its rule is an error of `send` that names field and rule.
    let ada = types::UserCreate::builder().username("ada").name("Ada Lovelace").phone("+442079460123");
    let ada = session.user_create().body(ada).send().await?;

    // What is left out stays, `Clear` clears; and only while nobody else has changed what was read.
    let changes = types::UserUpdate::builder().name("Ada King").phone(Clear);
    session.user_update().user(ada.id).if_unchanged(&ada).body(changes).send().await?;

    // `ada` is an old version now, and the error says so. Errors are told apart by their codes.
    let late = types::UserUpdate::builder().name("Ada Byron");
    match session.user_update().user(ada.id).if_unchanged(&ada).body(late).send().await {
        Ok(after) => println!("now {:?}", after.name),
        Err(error) if error.code() == Some(error_code::PRECONDITION_FAILED) => {
            println!("somebody was faster")
        }
        Err(error) => return Err(error),
    }

    // Lists are streams over all of their pages.
    let mut names = Vec::new();
    let mut users = session.user_list().sort("username").limit(1).stream();
    while let Some(user) = users.next().await {
        names.extend(user?.username);
    }
    session.end().await?;
    Ok(names)
}
