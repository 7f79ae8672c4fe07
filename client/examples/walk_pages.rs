//! Reads a list twice: page by page with the tokens, and as one stream.
//!
//! `ROLLCALL_PASSWORD=… cargo run -p rollcall-client --example walk_pages [username] [password]`

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example prints its results")]

use std::process::ExitCode;

use rollcall_client::{Client, Error, Paged, Password};

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

    println!("Page by page:");
    let mut token: Option<String> = None;
    for number in 1.. {
        let mut request = session.user_list().limit(2u32);
        if let Some(token) = token {
            request = request.page_token(token);
        }
        let page = request.send().await?.into_inner();
        let names: Vec<_> = page.items.iter().filter_map(|user| user.username.as_deref()).collect();
        println!("  page {number}: {}", names.join(", "));
        token = page.next_page;
        if token.is_none() {
            break;
        }
    }

    println!("As one stream:");
    let users = session.user_list().limit(2u32).stream().collect().await?;
    println!("  {} users", users.len());
    let groups = session.user_group_list().user("me").stream().collect().await?;
    let names: Vec<_> = groups.iter().map(|place| place.group.name.as_str()).collect();
    println!("  you are in {}", names.join(", "));
    session.end().await
}

/// Reads the password from the second argument, or from `ROLLCALL_PASSWORD`.
fn password() -> Password {
    let argument = std::env::args().nth(2);
    argument.or_else(|| std::env::var("ROLLCALL_PASSWORD").ok()).unwrap_or_default().into()
}
