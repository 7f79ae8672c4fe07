//! The list of users: every user exactly once, also under concurrent changes.

use std::collections::BTreeSet;

use rollcall_api::access::Permission;
use rollcall_client::{Paged, error_code, types, user_view};
use uuid::Uuid;

use super::refusal;
use crate::support::{Refused, TestServer};

#[tokio::test]
async fn user_list_is_in_order_of_creation() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let grace = server.user("grace").await;
    let users: Vec<types::User> = ada.user_list().stream().collect().await.unwrap();
    assert_eq!(users[1..].iter().map(|user| user.id.0).collect::<Vec<_>>(), [ada.id, grace.id]);
    assert_eq!(users.len(), 3);
}

#[tokio::test]
async fn user_list_shows_cards_or_full_records() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let reader = server.holder("reader", &[Permission::UsersRead]).await;
    let views = async |session: &rollcall_client::Session| {
        let users: Vec<types::User> = session.user_list().stream().collect().await.unwrap();
        users.iter().for_each(|user| assert_eq!(user.created_at.is_none(), user.view.0 == user_view::CARD));
        users.into_iter().map(|user| user.view.0).collect::<Vec<_>>()
    };
    assert_eq!(views(&ada).await, [user_view::CARD, user_view::OWN, user_view::CARD]);
    assert_eq!(views(&reader).await, [user_view::FULL, user_view::FULL, user_view::OWN]);
}

#[tokio::test]
async fn user_list_pages_have_fifty_users_by_default() {
    let server = TestServer::start().await;
    for number in 0..60 {
        server.quick_user(&format!("user{number}")).await;
    }
    let admin = server.admin().await;
    let page = admin.user_list().send().await.unwrap();
    assert_eq!((page.items.len(), page.next_page.is_some()), (50, true));
    let token = types::PageToken::try_from(page.next_page.clone().unwrap()).unwrap();
    let rest = admin.user_list().page_token(token).send().await.unwrap();
    assert_eq!((rest.items.len(), rest.next_page.as_ref()), (11, None));
    for limit in [61u32, 200] {
        let whole = admin.user_list().limit(limit).send().await.unwrap();
        assert_eq!((whole.items.len(), whole.next_page.as_ref()), (61, None), "no empty page follows");
    }
}

/// Dioptra and CVAT return everything for a limit of 0.
#[tokio::test]
async fn user_list_pages_are_never_unlimited() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for limit in ["0", "-1", "201", "all", ""] {
        let request = server.request(http::Method::GET, &format!("/v1/users?limit={limit}"));
        let response = crate::support::Answer::of(request.bearer_auth(admin.token())).await;
        assert_eq!(
            (response.code(), response.error_code().as_str()),
            (400, error_code::INVALID_REQUEST),
            "{limit}"
        );
    }
    let refused = admin.user_list().limit(201u32).send().await.refusal();
    assert_eq!(refused, refusal(400, error_code::INVALID_REQUEST));
}

/// Rows are inserted and deleted at every position of the list during a walk.
#[tokio::test]
async fn user_list_walks_show_unchanged_users_once() {
    let server = TestServer::start().await;
    let mut stays = BTreeSet::new();
    let mut goes = Vec::new();
    for number in 0..40 {
        let person = server.quick_user(&format!("user{number}")).await;
        if number % 4 == 1 {
            goes.push(person.id);
        } else {
            stays.insert(person.id);
        }
    }
    let walker = server.sign_in("user0").await;
    let mut seen: Vec<Uuid> = Vec::new();
    let mut next: Option<String> = None;
    for round in 0.. {
        let list = walker.user_list().limit(7u32);
        let list = match next {
            Some(token) => list.page_token(token),
            None => list,
        };
        let page = list.send().await.unwrap().into_inner();
        seen.extend(page.items.iter().map(|user| user.id.0));
        next = page.next_page;
        if next.is_none() {
            break;
        }
        // One at the page's very end, so that the token refers to a missing row; one behind; one new one.
        let last = page.items.last().map(|user| user.id.0).filter(|id| stays.len() > 20 && stays.remove(id));
        for gone in last.into_iter().chain(goes.pop()) {
            server.db().await.execute("DELETE FROM users WHERE id = $1", &[&gone]).await.unwrap();
        }
        if round < 5 {
            server.quick_user(&format!("late{round}")).await;
        }
    }
    let once: BTreeSet<Uuid> = seen.iter().copied().collect();
    assert_eq!(once.len(), seen.len(), "nobody twice");
    assert!(stays.is_subset(&once), "and nobody left out");
    assert!(seen.is_sorted());
}
