//! Minimum length of a new password: the same code and number in every operation that sets one.

use http::Method;
use rollcall_client::error_code;
use rollcall_server::config::RegistrationMode;
use serde_json::{Value, json};

use super::is_live;
use crate::support::{Answer, PASSWORD, TestServer};

/// The field with the new password, and a request that contains it: method, path, whether it concerns the
/// caller, body.
type Call = (&'static str, fn(&str) -> (Method, &'static str, Option<bool>, Value));

const CALLS: &[Call] = &[
    ("password", |new| {
        (Method::POST, "/v1/users", Some(false), json!({ "username": "new", "password": new }))
    }),
    ("password", |new| (Method::POST, "/v1/register", None, json!({ "username": "new", "password": new }))),
    ("password", |new| (Method::PUT, "/v1/users/@ada/password", Some(false), json!({ "password": new }))),
    ("new_password", |new| {
        let body = json!({ "current_password": PASSWORD, "new_password": new });
        (Method::POST, "/v1/users/me/password/change", Some(true), body)
    }),
    ("new_password", |new| {
        let body = json!({ "identifier": "ada", "password": PASSWORD, "new_password": new });
        (Method::POST, "/v1/login/change-password", None, body)
    }),
];

#[tokio::test]
async fn user_create_and_all_that_set_passwords_report_one_minimum_length() {
    for least in [8, 15, 40] {
        let server = TestServer::builder()
            .config(|config| {
                config.password.min_length = least;
                config.registration.mode = RegistrationMode::Open;
            })
            .start()
            .await;
        let admin = server.admin().await;
        // Longer than any of these.
        let ada = json!({ "username": "ada", "password": "plum lantern over quiet rivers and some more" });
        let made = server.request(Method::POST, "/v1/users").bearer_auth(admin.token()).json(&ada);
        assert_eq!(Answer::of(made).await.code(), 201);
        let hash = "UPDATE users SET password_hash = (SELECT password_hash FROM users WHERE username = 'administrator')";
        server.sql(hash).await;
        let ada = server.sign_in("ada").await;
        for length in [0, 1, 7, 8, 14, 39, 257] {
            // The same number of two-byte characters: characters count, not bytes.
            let new: String = "žlutýkůň".chars().cycle().take(length).collect();
            for (field, call) in CALLS {
                let (method, path, own, body) = call(&new);
                let mut request = server.request(method, path).json(&body);
                if let Some(own) = own {
                    request = request.bearer_auth(if own { ada.token() } else { admin.token() });
                }
                let expected = match length {
                    257 => (
                        400,
                        error_code::INVALID_REQUEST,
                        format!("{field}: must have at most 256 characters, has 257"),
                    ),
                    _ if length < least as usize => (
                        422,
                        error_code::PASSWORD_TOO_SHORT,
                        format!("{field}: must have at least {least} characters, has {length}"),
                    ),
                    _ => continue,
                };
                let response = Answer::of(request).await;
                let got = (response.code(), response.error_code(), response.message());
                assert_eq!((got.0, got.1.as_str(), got.2), expected, "{path}");
            }
        }
        assert!(is_live(&ada).await, "nothing was changed");
        assert_eq!(server.count("SELECT count(*) FROM users").await, 2);
    }
}
