//! Creates a user, changes it with `If-Match`, shows what happens to somebody whose tag is old, and cleans up.
//!
//! `ROLLCALL_PASSWORD=… cargo run -p rollcall-client --example create_and_update [username] [password]`

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example speaks to the person who runs it")]

use std::process::ExitCode;

use rollcall_client::{Clear, Client, Error, Password, Set, error_code, etag, types, uuid};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("That did not work: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Error> {
    let url = std::env::var("ROLLCALL_URL").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned());
    let username = std::env::args().nth(1).unwrap_or_else(|| "admin".to_owned());
    let session = Client::new(&url)?.login(&username, password()).await?;

    // A name that nobody has yet, so that the example can be run again and again.
    let fresh = format!("ada-{}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
    let body = types::UserCreate::builder().username(fresh).name("Ada Lovelace");
    // The client puts an idempotency key on this request, so that a retry can't create a second Ada.
    let created = session.user_create().body(body).send().await?;
    println!("Created {} ({}), entity tag {}", name(&created), created.id, etag(&created).unwrap_or("?"));

    let changes = types::UserUpdate::builder().name(Set("Ada King, Countess of Lovelace"));
    let updated = session.user_update().user(created.id).if_unchanged(&created).body(changes).send().await?;
    println!("Updated to {}, entity tag {}", name(&updated), etag(&updated).unwrap_or("?"));

    // This would clear the name; but the tag of what was created is not the current one any more.
    let clear = types::UserUpdate::builder().name(Clear);
    match session.user_update().user(created.id).if_unchanged(&created).body(clear).send().await {
        Err(error) if error.code() == Some(error_code::PRECONDITION_FAILED) => {
            println!("Somebody with the old tag is told so: {error}");
        }
        Err(error) => return Err(error),
        Ok(_) => println!("That can't be: an old tag was accepted."),
    }

    session.user_delete().user(created.id).send().await?;
    println!("Deleted her again.");
    session.end().await
}

fn name(user: &types::User) -> &str {
    user.name.as_deref().unwrap_or("somebody without a name")
}

/// The password: the second argument, or the environment's.
fn password() -> Password {
    let argument = std::env::args().nth(2);
    argument.or_else(|| std::env::var("ROLLCALL_PASSWORD").ok()).unwrap_or_default().into()
}
