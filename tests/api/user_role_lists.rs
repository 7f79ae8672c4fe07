//! A user's roles as a list like the others: search, filter, sort, total, pages.

use serde_json::{Value, json};

use crate::support::{Answer, Person, TestServer};

async fn names(server: &TestServer, who: &Person, query: &[(&str, &str)]) -> (Vec<String>, Value) {
    let mut found = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let mut query = query.to_vec();
        query.push(("limit", "2"));
        query.extend(token.as_deref().map(|token| ("page_token", token)));
        let request = server.request(http::Method::GET, "/v1/users/@ada/roles").query(&query);
        let response = Answer::of(request.bearer_auth(who.token())).await;
        assert_eq!(response.code(), 200, "{query:?}: {}", response.message());
        let page = response.json();
        let items = page["items"].as_array().unwrap();
        found.extend(items.iter().map(|role| role["name"].as_str().unwrap().to_owned()));
        match page["next_page"].as_str() {
            Some(next) => token = Some(next.to_owned()),
            None => return (found, page["total"].clone()),
        }
    }
}

#[tokio::test]
async fn user_role_list_accepts_the_parameters_of_other_lists() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    for body in [
        json!({ "name": "editor", "description": "Ändert Artikel", "permissions": ["articles:write"] }),
        json!({ "name": "writer", "permissions": ["articles:write", "articles:draft"] }),
        json!({ "name": "guest" }),
        json!({ "name": "nobody-s", "description": "Ändert nichts" }),
    ] {
        let request = server.request(http::Method::POST, "/v1/roles").bearer_auth(admin.token());
        assert_eq!(Answer::of(request.json(&body)).await.code(), 201, "{body}");
    }
    let give = json!({ "roles": ["@guest", "@writer", "@editor"] });
    let request = server.request(http::Method::POST, "/v1/users/@ada/roles").bearer_auth(admin.token());
    assert_eq!(Answer::of(request.json(&give)).await.code(), 200);
    for who in [&admin, &ada] {
        for (query, expected) in [
            (&[] as &[(&str, &str)], &["editor", "writer", "guest"] as &[&str]),
            (&[("sort", "name")], &["editor", "guest", "writer"]),
            (&[("sort", "-name")], &["writer", "guest", "editor"]),
            (&[("filter", "permissions eq \"articles:write\"")], &["editor", "writer"]),
            (&[("filter", "description co \"ÄNDERT\"")], &["editor"]),
            (&[("filter", "not (description pr)")], &["writer", "guest"]),
            (&[("filter", "{\"==\":[{\"var\":\"name\"},\"guest\"]}")], &["guest"]),
            (&[("q", "-name:*r")], &["guest"]),
            (&[("q", "ändert")], &["editor"]),
            (&[("q", "permissions:articles:draft"), ("sort", "-created_at")], &["writer"]),
        ] {
            let (found, total) = names(&server, who, query).await;
            assert_eq!(found, expected, "{query:?}");
            assert_eq!(total, Value::Null, "{query:?}");
            let mut counted = query.to_vec();
            counted.push(("total", "exact"));
            assert_eq!(names(&server, who, &counted).await.1, expected.len(), "{query:?}");
            counted.last_mut().unwrap().1 = "estimate";
            assert!(names(&server, who, &counted).await.1.is_u64(), "{query:?}");
        }
    }
    for (query, told) in [
        ("filter=color%20eq%201", "there is no field \"color\""),
        ("sort=color", "can't sort by \"color\""),
        ("q=color:red", "there is no field \"color\""),
    ] {
        let request = server.request(http::Method::GET, &format!("/v1/users/me/roles?{query}"));
        let response = Answer::of(request.bearer_auth(ada.token())).await;
        assert_eq!((response.code(), response.error_code().as_str()), (400, "invalid_query"), "{query}");
        assert!(response.message().contains(told), "{}", response.message());
    }
}
