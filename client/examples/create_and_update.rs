//! Creates a user, updates it with `If-Match`, shows the error for an old entity tag, and deletes the user.
//!
//! `ROLLCALL_PASSWORD=… cargo run -p rollcall-client --example create_and_update [username] [password]`

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example prints its results")]

use std::process::ExitCode;

use rollcall_client::{Clear, Client, Error, Password, Set, error_code, etag, types, uuid};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Error> {
    let url = std::env::var("ROLLCALL_URL").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned());
    let username = std::env::args().nth(1).unwrap_or_else(|| "admin".to_owned());
    let session = Client::new(&url)?.login(&username, password()).await?;

    // A random name, so that the example can be run again.
    let fresh = format!("ada-{}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
    let body = types::UserCreate::builder().username(fresh).name("Ada Lovelace");
    // The client adds an idempotency key to this request, so that a retry can't create a second user.
    let created = session.user_create().body(body).send().await?;
    println!("Created {} ({}), entity tag {}", name(&created), created.id, etag(&created).unwrap_or("?"));

    let changes = types::UserUpdate::builder().name(Set("Ada King, Countess of Lovelace"));
    let updated = session.user_update().user(created.id).if_unchanged(&created).body(changes).send().await?;
    println!("Updated to {}, entity tag {}", name(&updated), etag(&updated).unwrap_or("?"));

    // This would clear the name, but the tag of the first response is no longer current.
    let clear = types::UserUpdate::builder().name(Clear);
    match session.user_update().user(created.id).if_unchanged(&created).body(clear).send().await {
        Err(error) if error.code() == Some(error_code::PRECONDITION_FAILED) => {
            println!("The old tag was rejected: {error}");
        }
        Err(error) => return Err(error),
        Ok(_) => println!("An old tag was accepted, which is a bug."),
    }

    session.user_delete().user(created.id).send().await?;
    println!("Deleted the user again.");
    session.end().await
}

fn name(user: &types::User) -> &str {
    user.name.as_deref().unwrap_or("a user without a name")
}

/// Reads the password from the second argument, or from `ROLLCALL_PASSWORD`.
fn password() -> Password {
    let argument = std::env::args().nth(2);
    argument.or_else(|| std::env::var("ROLLCALL_PASSWORD").ok()).unwrap_or_default().into()
}
