//! Totals of lists: only on request, and the same on every page.

use rollcall_client::types::TotalKind;
use serde_json::Value;

use super::fixtures::Fixtures;
use crate::support::Answer;

#[tokio::test]
async fn user_list_returns_totals_on_request() {
    let fixtures = Fixtures::new().await;
    let list = || fixtures.admin.user_list().q("ada").limit(2u32);
    assert_eq!(list().send().await.unwrap().total, None);
    let first = list().total(TotalKind::Exact).send().await.unwrap().into_inner();
    assert_eq!((first.items.len(), first.total), (2, Some(3)));
    // The token is not bound to the way of counting, which does not affect the list.
    let token = first.next_page.unwrap();
    for (total, expected) in [(None, None), (Some(TotalKind::Exact), Some(3))] {
        let next = match total {
            Some(total) => list().total(total),
            None => list(),
        };
        let page = next.page_token(token.clone()).send().await.unwrap();
        assert_eq!((page.items.len(), page.total), (1, expected), "the total is that of the whole list");
    }
    let page = list().total(TotalKind::Estimate).page_token(token).send().await.unwrap();
    assert!(page.total.is_some());
    fixtures.server.sql("ANALYZE").await;
    let all = fixtures.admin.user_list().total(TotalKind::Estimate).limit(1u32).send().await.unwrap();
    assert_eq!(all.total, Some(29), "Postgres has just counted them");
    let none = fixtures
        .admin
        .user_list()
        .filter(r#"username eq "nobody""#)
        .total(TotalKind::Exact)
        .send()
        .await
        .unwrap();
    assert_eq!((none.items.len(), none.total), (0, Some(0)));
}

#[tokio::test]
async fn every_list_returns_totals_on_request() {
    let fixtures = Fixtures::new().await;
    for path in ["/v1/users", "/v1/groups", "/v1/groups/@qa/members", "/v1/roles"] {
        let ask = async |query: &str| {
            let request = fixtures.server.request(http::Method::GET, &format!("{path}?limit=200&{query}"));
            Answer::of(request.bearer_auth(fixtures.admin.token())).await
        };
        let plain = ask("").await.json();
        assert!(plain.get("total").is_none(), "{path}: nothing is counted unless somebody asks");
        let items = plain["items"].as_array().unwrap().len();
        assert_eq!(ask("total=exact").await.json()["total"], items, "{path}");
        assert_eq!(ask("total=exact&filter=not+id+pr").await.json()["total"], 0, "{path}");
        assert!(ask("total=estimate").await.json()["total"].as_u64().is_some(), "{path}");
        for bad in ["total=", "total=true", "total=EXACT", "total=exact&total=exact"] {
            let response = ask(bad).await;
            assert_eq!(
                (response.code(), response.error_code().as_str()),
                (400, "invalid_request"),
                "{path}?{bad}"
            );
        }
    }
    // A member sees their own groups, and the total counts no others.
    let plain = fixtures.plain().await;
    let page = plain.group_list().total(TotalKind::Exact).send().await.unwrap();
    assert_eq!(page.total, Some(1));
    let page = serde_json::to_value(page.into_inner()).unwrap();
    assert_eq!(page.pointer("/items/0/slug").and_then(Value::as_str), Some("public"));
}
