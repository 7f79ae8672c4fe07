//! Page tokens are bound to their query: an edited token, and a token of another list or another caller's view, gets a 400.

use http::Method;
use rollcall_client::error_code;

use super::recipes::Scene;
use crate::support::{Answer, TestServer};

#[tokio::test]
async fn edited_and_foreign_tokens_are_rejected() {
    let server = TestServer::start().await;
    let scene = Scene::set(&server, 1).await;
    let (admin, ada) = (server.admin().await, scene.target.clone());
    let get = async |path: &str, token: String| {
        Answer::of(server.request(Method::GET, path).bearer_auth(token)).await
    };
    let first = get("/v1/users?limit=1", admin.token()).await;
    let token = first.json()["next_page"].as_str().unwrap().to_owned();
    assert!(token.len() < 100, "a list in the order of ids has the id in its tokens, and nothing else");
    assert_eq!(get(&format!("/v1/users?limit=2&page_token={token}"), admin.token()).await.code(), 200);

    let mut bad = vec![
        token[1..].to_owned(),
        token[..token.len() - 1].to_owned(),
        format!("{token}A"),
        token.repeat(2),
    ];
    for place in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        bad.push(String::from_utf8(bytes).unwrap());
    }
    bad.push("AAAA".to_owned());
    for token in bad {
        let answer = get(&format!("/v1/users?page_token={token}"), admin.token()).await;
        assert_eq!(
            (answer.code(), answer.error_code().as_str()),
            (400, error_code::INVALID_PAGE_TOKEN),
            "{token}"
        );
        assert!(answer.message().contains("page_token"));
    }
    let sessions = format!("/v1/users/{}/sessions", ada.id);
    for foreign in ["/v1/groups", "/v1/groups/@public/members", "/v1/users/me/sessions", &sessions] {
        let answer = get(&format!("{foreign}?page_token={token}"), admin.token()).await;
        assert_eq!(answer.error_code(), error_code::INVALID_PAGE_TOKEN, "{foreign}");
    }
    let answer = get(&format!("/v1/users?page_token={token}"), ada.token()).await;
    assert_eq!(answer.error_code(), error_code::INVALID_PAGE_TOKEN, "the token of a fuller view");

    let first = get(&format!("{sessions}?limit=1"), admin.token()).await;
    let token = first.json()["next_page"].as_str().unwrap().to_owned();
    let answer = get(&format!("/v1/users/me/sessions?page_token={token}"), admin.token()).await;
    assert_eq!(answer.error_code(), error_code::INVALID_PAGE_TOKEN, "the token of another user's list");
}

/// The router treats `//v1//users` as `/v1/users`, so the check of credentials must do so too.
#[tokio::test]
async fn doubled_slashes_do_not_bypass_authentication() {
    let server = TestServer::start().await;
    let ada = server.quick_user("ada").await;
    for path in [
        "//v1//users",
        "/v1/users/",
        "//v1/users//@administrator",
        "/v1/./users",
        "/v1/x/../users",
        "/v1%2Fusers",
        "/V1/users",
    ] {
        let anonymous = Answer::of(server.request(Method::GET, path)).await;
        assert!(matches!(anonymous.code(), 400 | 401 | 404), "{path}: {}", anonymous.code());
        let plain = Answer::of(server.request(Method::DELETE, path).bearer_auth(ada.token())).await;
        assert!(matches!(plain.code(), 400 | 403 | 404 | 405), "{path}: {}", plain.code());
    }
    let query = format!("/v1/session?access_token={}", ada.token());
    assert_eq!(
        Answer::of(server.request(Method::GET, &query)).await.code(),
        401,
        "tokens in queries count for nothing"
    );
}
