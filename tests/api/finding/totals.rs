//! How many there are in all: only where somebody asks, on every page alike.

use rollcall_client::types::TotalKind;
use serde_json::Value;

use super::cast::Cast;
use crate::support::Answer;

#[tokio::test]
async fn totals_are_there_where_they_are_asked_for() {
    let cast = Cast::new().await;
    let list = || cast.admin.user_list().q("ada").limit(2u32);
    assert_eq!(list().send().await.unwrap().total, None);
    let first = list().total(TotalKind::Exact).send().await.unwrap().into_inner();
    assert_eq!((first.items.len(), first.total), (2, Some(3)));
    // The token isn't bound to how the total is counted: it changes nothing of the list.
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
    cast.server.sql("ANALYZE").await;
    let all = cast.admin.user_list().total(TotalKind::Estimate).limit(1u32).send().await.unwrap();
    assert_eq!(all.total, Some(29), "Postgres has just counted them");
    let none = cast
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
async fn every_list_counts() {
    let cast = Cast::new().await;
    for path in ["/v1/users", "/v1/groups", "/v1/groups/@qa/members", "/v1/roles"] {
        let ask = async |query: &str| {
            let request = cast.server.request(http::Method::GET, &format!("{path}?limit=200&{query}"));
            Answer::of(request.bearer_auth(cast.admin.token())).await
        };
        let plain = ask("").await.json();
        assert!(plain.get("total").is_none(), "{path}: nothing is counted unless somebody asks");
        let items = plain["items"].as_array().unwrap().len();
        assert_eq!(ask("total=exact").await.json()["total"], items, "{path}");
        assert_eq!(ask("total=exact&filter=not+id+pr").await.json()["total"], 0, "{path}");
        assert!(ask("total=estimate").await.json()["total"].as_u64().is_some(), "{path}");
        for bad in ["total=", "total=true", "total=EXACT", "total=exact&total=exact"] {
            let answer = ask(bad).await;
            assert_eq!(
                (answer.code(), answer.error_code().as_str()),
                (400, "invalid_request"),
                "{path}?{bad}"
            );
        }
    }
    // A member sees their groups, and counts no others.
    let plain = cast.plain().await;
    let page = plain.group_list().total(TotalKind::Exact).send().await.unwrap();
    assert_eq!(page.total, Some(1));
    let page = serde_json::to_value(page.into_inner()).unwrap();
    assert_eq!(page.pointer("/items/0/slug").and_then(Value::as_str), Some("public"));
}
