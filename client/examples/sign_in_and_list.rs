//! Signs in and lists the users.
//!
//! `ROLLCALL_PASSWORD=… cargo run -p rollcall-client --example sign_in_and_list [username] [password]`

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example prints its results")]

use std::process::ExitCode;

use rollcall_client::{Client, Error, Paged, Password, user_view};

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
    let client = Client::new(&url)?;
    println!("Rollcall {} at {url}", client.system_version().send().await?.version);

    let session = client.login(&username, password()).await?;
    let me = session.session_view().send().await?;
    let name = me.user.name.as_deref().or(me.user.username.as_deref()).unwrap_or("user without a name");
    println!("Hello, {name}! You may: {}\n", me.permissions.join(", "));

    println!("The directory:");
    let mut users = session.user_list().limit(100u32).stream();
    let mut count = 0;
    while let Some(user) = users.next().await {
        let user = user?;
        let whole = if user.view == user_view::CARD { "" } else { " (the whole record)" };
        println!("  {:<20} {}{whole}", user.username.unwrap_or_default(), user.name.unwrap_or_default());
        count += 1;
    }
    println!("{count} in all.");
    session.end().await
}

/// Reads the password from the second argument, or from `ROLLCALL_PASSWORD`.
fn password() -> Password {
    let argument = std::env::args().nth(2);
    argument.or_else(|| std::env::var("ROLLCALL_PASSWORD").ok()).unwrap_or_default().into()
}
