//! Creates a user, changes it with `If-Match`, shows what happens to somebody whose tag is old, and cleans up.
//!
//! `ROLLCALL_PASSWORD=… cargo run -p rollcall-client --example create_and_update [username] [password]`

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example speaks to the person who runs it")]

use std::error::Error;
use std::process::ExitCode;

use rollcall_client::{Client, Password, error_code, etag, types};

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

async fn run() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("ROLLCALL_URL").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned());
    let username = std::env::args().nth(1).unwrap_or_else(|| "admin".to_owned());
    let session = Client::new(&url)?.login(&username, password()).await?;

    // A name that nobody has yet, so that the example can be run again and again.
    let fresh = format!("ada-{}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
    let body = types::UserCreate::builder()
        .username(types::Username::try_from(fresh)?)
        .name(types::DisplayName::try_from("Ada Lovelace")?);
    // The client puts an idempotency key on this request, so that a retry can't create a second Ada.
    let created = session.user_create().body(body).send().await?;
    let id = created.id.to_string();
    println!("Created {} ({id}), entity tag {}", name(&created), etag(&created).unwrap_or("?"));

    let married = types::DisplayName::try_from("Ada King, Countess of Lovelace")?;
    let changes = types::UserUpdate::builder().name(types::NullableDisplayName(Some(married)));
    let tag = etag(&created).ok_or("the answer has no entity tag")?;
    let updated = session.user_update().user(id.as_str()).if_match(tag).body(changes).send().await?;
    println!("Updated to {}, entity tag {}", name(&updated), etag(&updated).unwrap_or("?"));

    // `None` clears the name; but the tag is not the current one any more.
    let clear = types::UserUpdate::builder().name(types::NullableDisplayName(None));
    let late = session.user_update().user(id.as_str()).if_match(tag).body(clear).send().await;
    match late.map_err(rollcall_client::Error::from) {
        Err(error) if error.code() == Some(error_code::PRECONDITION_FAILED) => {
            println!("Somebody with the old tag is told so: {error}");
        }
        Err(error) => return Err(error.into()),
        Ok(_) => return Err("an old tag was accepted".into()),
    }

    session.user_delete().user(id.as_str()).send().await?;
    println!("Deleted her again.");
    session.end().await?;
    Ok(())
}

fn name(user: &types::User) -> &str {
    user.name.as_deref().unwrap_or("somebody without a name")
}

/// The password: the second argument, or the environment's.
fn password() -> Password {
    let argument = std::env::args().nth(2);
    argument.or_else(|| std::env::var("ROLLCALL_PASSWORD").ok()).unwrap_or_default().into()
}
