//! Characters that usernames may contain, and the handling of names that older servers accepted.

use rollcall_client::{Paged, error_code, types};
use rollcall_server::commands;
use rollcall_server::config::RegistrationMode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{create, refusal, update};
use crate::support::log::Captured;
use crate::support::people::new_user;
use crate::support::server::make_cheap;
use crate::support::{PASSWORD, Refused, TestServer};

/// A name in each script, and the same name as typed in another form.
const NAMES: &[(&str, &str)] = &[
    ("José_Weiß", "JOSE\u{301}_WEISS"),
    ("Ωμέγας", "ΩΜΈΓΑΣ"),
    ("Жанна", "ЖАННА"),
    ("Սևակ", "ՍԵՒԱԿ"),
    ("אברהם", "אברהם"),
    ("דָּוִד", "דָּוִד"),
    ("محمد", "محمد"),
    ("علی\u{200c}رضا", "علیرضا"),
    ("އިބްރާހީމް", "އިބްރާހީމް"),
    ("श्रीनिवास", "श्रीनिवास"),
    ("শ্রেয়া", "শ্রেয়া"),
    ("ସୁଭାଷ", "ସୁଭାଷ"),
    ("ஸ்ரீராம்", "ஸ்ரீராம்"),
    ("కృష్ణ", "కృష్ణ"),
    ("ಕೃಷ್ಣ", "ಕೃಷ್ಣ"),
    ("ശ്രീജ", "ശ്രീജ"),
    ("ශ්\u{200d}රියාණි", "ශ්රියාණි"),
    ("สำราญ", "ส\u{e4d}\u{e32}ราญ"),
    ("ຄຳພູ", "ຄ\u{ecd}\u{eb2}ພູ"),
    ("ໝອນ", "ຫມອນ"),
    ("བསྟན་འཛིན", "བསྟན་འཛིན"),
    ("အောင်ဆန်း", "အောင်ဆန်း"),
    ("សុខា", "សុខា"),
    ("გიორგი", "ᲒᲘᲝᲠᲒᲘ"),
    ("አበበ", "አበበ"),
    ("ᏣᎳᎩ", "ꮳꮃꭹ"),
    ("𞤀𞤣𞤤𞤢𞤥", "𞤢𞤣𞤤𞤢𞤥"),
    ("李小明", "李小明"),
    ("𠮷田", "𠮷田"),
    ("ジョン・スミス", "ｼﾞｮﾝ・ｽﾐｽ"),
    ("김철수", "\u{1100}\u{1175}\u{11b7}철수"),
    ("gal·la", "GAL·LA"),
];

#[tokio::test]
async fn user_create_accepts_names_of_every_script() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for (name, otherwise) in NAMES {
        let made = admin.user_create().body(new_user(name)).send().await.unwrap();
        assert_eq!(made.username.as_deref(), Some(*name));
        let taken = admin.user_create().body(create(json!({ "username": otherwise }))).send().await.refusal();
        assert_eq!(taken, refusal(409, error_code::USERNAME_TAKEN), "{otherwise}");
        for typed in [name, otherwise] {
            server.client().login(typed, PASSWORD).await.unwrap();
            let seen = admin.user_view().user(format!("@{typed}")).send().await.unwrap();
            assert_eq!(seen.id.0, made.id.0, "{typed}");
            let found =
                admin.user_list().q(format!("username:\"{typed}\"")).stream().collect().await.unwrap();
            assert_eq!(found.len(), 1, "{typed}");
        }
    }
}

/// Characters without a visible glyph, and others that no username may contain.
const STRANGE: &[&str] = &[
    "\u{34f}",
    "\u{ad}",
    "\u{61c}",
    "\u{115f}",
    "\u{1160}",
    "\u{17b4}",
    "\u{180b}",
    "\u{180e}",
    "\u{200b}",
    "\u{200c}",
    "\u{200d}",
    "\u{200e}",
    "\u{202e}",
    "\u{2060}",
    "\u{2066}",
    "\u{2800}",
    "\u{3164}",
    "\u{fe0f}",
    "\u{feff}",
    "\u{ffa0}",
    "\u{1d173}",
    "\u{e0001}",
    "\u{e0061}",
    "\u{e0100}",
    "\u{a0}",
    "\u{3000}",
    "☃",
    "😀",
    "ﬁ",
    "①",
    "’",
    "—",
    "\u{f8ff}",
    "\u{5d0}",
    "\u{640}",
];

#[tokio::test]
async fn no_operation_accepts_a_username_with_an_invisible_character() {
    let open =
        |config: &mut rollcall_server::config::Config| config.registration.mode = RegistrationMode::Open;
    let server = TestServer::builder().config(open).start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let not_allowed = refusal(422, error_code::USERNAME_NOT_ALLOWED);
    for strange in STRANGE {
        for name in [format!("ev{strange}e"), format!("eve{strange}"), format!("{strange}eve")] {
            let body = json!({ "username": name, "password": PASSWORD });
            let made = admin.user_create().body(create(body.clone())).send().await.refusal();
            let registered: types::Register = serde_json::from_value(body).unwrap();
            let registered = server.client().register().body(registered).send().await.refusal();
            let renamed = update(json!({ "username": name }));
            let renamed = ada.user_update().user("me").body(renamed).send().await.refusal();
            assert_eq!([&made, &registered, &renamed], [&not_allowed; 3], "{name:?}");
        }
    }
    assert_eq!(server.count("SELECT count(*) FROM users").await, 2);
    let error = admin.user_create().body(create(json!({ "username": "ev\u{34f}e" }))).send().await.refused();
    assert_eq!(error.message(), "username: must not contain the invisible character U+034F");
}

#[tokio::test]
async fn create_admin_rejects_names_that_the_api_rejects() {
    let server = TestServer::start().await;
    let mut config = server.database.config();
    make_cheap(&mut config);
    let log = Captured::default().logger();
    for (name, why) in [
        ("ev\u{34f}e", "U+034F"),
        ("eve\u{202e}", "U+202E"),
        ("eve@example.org", "isn't the user's own"),
        ("+4930123456", "isn't the user's own"),
    ] {
        let made =
            commands::create_admin(&config, &server.database.source(), name, Some(PASSWORD.to_owned()), &log)
                .await;
        let error = made.unwrap_err().to_string();
        assert!(error.contains("username") && error.contains(why), "{name:?}: {error}");
    }
    assert_eq!(server.count("SELECT count(*) FROM users").await, 1);
}

/// Similar letters of different scripts are different letters: identity needs more than a name.
#[tokio::test]
async fn user_create_keeps_scripts_apart() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for name in ["paul", "\u{440}\u{430}ul", "ΡAUL"] {
        admin.user_create().body(new_user(name)).send().await.unwrap();
    }
}

#[tokio::test]
async fn user_create_keeps_names_in_nfc_and_of_normal_width() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for (sent, kept) in [("Ａｄａ．Ｌ", "Ada.L"), ("jose\u{301}", "jos\u{e9}"), ("ｶﾞｲﾄ", "ガイト")]
    {
        let made = admin.user_create().body(new_user(sent)).send().await.unwrap();
        assert_eq!(made.username.as_deref(), Some(kept));
    }
    // A number in full-width digits is a number all the same.
    for (name, phone) in [("＋４９３０１２３４５６", None), ("＋４９３０１２３４５６", Some("+4930654321"))]
    {
        let body = create(json!({ "username": name, "phone": phone }));
        let refused = admin.user_create().body(body).send().await.refusal();
        assert_eq!(refused, refusal(422, error_code::USERNAME_NOT_OWN_EMAIL), "{phone:?}");
    }
    let own = create(json!({ "username": "＋４９３０１２３４５６", "phone": "+4930123456" }));
    admin.user_create().body(own).send().await.unwrap();
}

/// A user created by an older server: its folding kept invisible characters.
async fn older(server: &TestServer, columns: Value) {
    let person = server.quick_user("someone").await;
    let columns = columns.as_object().unwrap().clone();
    for (column, value) in columns {
        let value = value.as_str().map(str::to_owned);
        let update = format!("UPDATE users SET {column} = $2 WHERE id = $1");
        server.db().await.execute(&update, &[&person.id, &value]).await.unwrap();
    }
}

async fn migrate(server: &TestServer) -> Captured {
    let log = Captured::default();
    let mut config = server.database.config();
    make_cheap(&mut config);
    commands::migrate(&config, &server.database.source(), &log.logger()).await.unwrap();
    log
}

/// Exercises every operation for a user with such a name.
async fn works(server: &TestServer, name: &str, id: Uuid) {
    let session = server.client().login(name, PASSWORD).await.unwrap();
    assert_eq!(session.user_view().user("me").send().await.unwrap().id.0, id, "{name:?} signs in");
    let admin = server.admin().await;
    let user = format!("@{name}");
    let seen = admin.user_view().user(user.as_str()).send().await.unwrap();
    assert_eq!((seen.id.0, seen.username.as_deref()), (id, Some(name)), "{name:?} is seen");
    let changed =
        session.user_update().user("me").body(update(json!({ "name": "Some One" }))).send().await.unwrap();
    assert_eq!(changed.name.as_deref(), Some("Some One"));
    let suspend = types::UserSuspend::builder().reason("a test".parse::<types::Description>().unwrap());
    assert_eq!(
        admin.user_suspend().user(user.as_str()).body(suspend).send().await.unwrap().id.0,
        id,
        "{name:?} is locked"
    );
    let check: types::AccessCheck =
        serde_json::from_value(json!({ "user": user, "permission": "users:read" })).unwrap();
    let decision = admin.access_check().body(check).send().await.unwrap();
    assert!(decision.reason.contains("suspended"), "{name:?} is judged: {}", decision.reason);
    admin.user_reactivate().user(user.as_str()).send().await.unwrap();
}

async fn id_of(server: &TestServer, username: &str) -> Uuid {
    let row =
        server.db().await.query_one("SELECT id FROM users WHERE username = $1", &[&username]).await.unwrap();
    row.get(0)
}

#[tokio::test]
async fn login_accepts_names_of_older_servers() {
    let server = TestServer::start().await;
    for (name, folded) in
        [("Ad\u{34f}a", "ad\u{34f}a"), ("مح\u{640}مد", "مح\u{640}مد"), ("a\u{5d0}", "a\u{5d0}")]
    {
        older(&server, json!({ "username": name, "username_folded": folded })).await;
        let id = id_of(&server, name).await;
        works(&server, name, id).await;
        let log = migrate(&server).await;
        assert!(!log.text().contains("characters that nobody sees"), "{}", log.text());
        works(&server, name, id).await;
    }
    // Names that look the same are the same.
    server.client().login("ADA", PASSWORD).await.unwrap();
    let refused = server.admin().await.user_create().body(new_user("ada")).send().await.refusal();
    assert_eq!(refused, refusal(409, error_code::USERNAME_TAKEN));
}

#[tokio::test]
async fn login_distinguishes_users_that_older_servers_distinguished() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let twin = "ad\u{34f}a";
    older(&server, json!({ "username": twin, "username_folded": twin })).await;
    for _ in 0..2 {
        let log = migrate(&server).await;
        let (ada, other) = (id_of(&server, "ada").await, id_of(&server, twin).await);
        let warned: Vec<&str> = log
            .text()
            .lines()
            .filter(|line| line.contains("characters that nobody sees"))
            .map(|_| "")
            .collect();
        assert_eq!(warned.len(), 1, "{}", log.text());
        assert!(log.text().contains(&other.to_string()) && !log.text().contains(&ada.to_string()));
        works(&server, "ada", ada).await;
        works(&server, twin, other).await;
    }
    // After giving up the old name, no trace of it is left.
    let admin = server.admin().await;
    admin
        .user_update()
        .user(format!("@{twin}"))
        .body(update(json!({ "username": "grace" })))
        .send()
        .await
        .unwrap();
    assert!(!migrate(&server).await.text().contains("characters that nobody sees"));
    assert_eq!(
        admin.user_view().user(format!("@{twin}")).send().await.unwrap().username.as_deref(),
        Some("ada")
    );
}

/// An address that would become another user's stays as it was, and so does the username that equals it.
#[tokio::test]
async fn login_by_an_address_of_an_older_server_finds_no_other_user() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let body = json!({ "username": "ada@example.org", "email": "ada@example.org", "password": PASSWORD });
    let ada = admin.user_create().body(create(body)).send().await.unwrap().id.0;
    let twin = "a\u{200b}da@example.org";
    older(&server, json!({ "username": twin, "username_folded": twin, "email": twin, "email_folded": twin }))
        .await;
    let other = id_of(&server, twin).await;
    let number = "+49\u{34f}30123456";
    older(&server, json!({ "username": number, "username_folded": number })).await;
    let numbered = id_of(&server, number).await;
    let body = json!({ "username": "grace", "phone": "+4930123456", "password": PASSWORD });
    let grace = admin.user_create().body(create(body)).send().await.unwrap().id.0;
    let lone = "e\u{2060}ve@example.org";
    older(
        &server,
        json!({ "username": "eve", "username_folded": "eve", "email": lone, "email_folded": lone }),
    )
    .await;
    for _ in 0..2 {
        for (typed, id) in [
            ("ada@example.org", ada),
            (twin, other),
            (lone, id_of(&server, "eve").await),
            (number, numbered),
            ("+4930123456", grace),
        ] {
            let session = server.client().login(typed, PASSWORD).await.unwrap();
            assert_eq!(session.user_view().user("me").send().await.unwrap().id.0, id, "{typed:?}");
        }
        migrate(&server).await;
    }
    server.client().login("EVE@example.org", PASSWORD).await.unwrap();
    let body = create(json!({ "username": "x", "email": "eve@example.org" }));
    let refused = admin.user_create().body(body).send().await.refusal();
    assert_eq!(refused, refusal(409, error_code::EMAIL_TAKEN));
}
