//! Tests of precedence, rejections and their messages, and of the agreement between the table of keys and the
//! structs.

use std::path::{Path, PathBuf};

use super::keys::{self, KEYS};
use super::{Config, DatabaseUrl, Flags, LogLevel, RegistrationMode, layers};

const NO_FILE: &str = "/nonexistent/rollcall.toml";

fn load(file: Option<&str>, env: &[(&str, &str)], flags: Flags) -> Result<Config, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("rollcall.toml");
    if let Some(text) = file {
        std::fs::write(&path, text).expect("the file can be written");
    }
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    layers::load(&flags, env, &path)
        .map(|loaded| loaded.config)
        .map_err(|error| error.to_string().replace(&path.display().to_string(), "rollcall.toml"))
}

#[test]
fn nothing_given_means_the_defaults() {
    let config = load(None, &[], Flags::default()).unwrap();
    assert_eq!(config.data_dir, PathBuf::from("rollcall-data"));
    assert_eq!(config.http.address.to_string(), "127.0.0.1:8080");
    assert_eq!(config.session.lifetime_seconds, 86_400);
    assert_eq!(config.registration.mode, RegistrationMode::Closed);
    assert!(config.database.url.is_none() && config.database.migrate_on_start);
}

#[test]
fn flags_beat_environment_beats_file_beats_defaults() {
    let file = "data_dir = 'f'\n[http]\naddress = '127.0.0.1:1'\nrequest_timeout_seconds = 30\n[log]\nlevel = 'error'\n";
    let env =
        [("ROLLCALL_HTTP__ADDRESS", "127.0.0.1:2"), ("ROLLCALL_LOG__LEVEL", "debug"), ("HOME", "/root")];
    let flags = Flags { address: Some("127.0.0.1:3".to_owned()), ..Flags::default() };
    let config = load(Some(file), &env, flags).unwrap();
    assert_eq!(config.http.address.port(), 3);
    assert_eq!(config.log.level, LogLevel::Debug);
    assert_eq!(config.http.request_timeout_seconds, 30);
    assert_eq!(config.data_dir, PathBuf::from("f"));
}

#[test]
fn every_kind_of_value_can_come_from_the_environment() {
    let env = [
        ("ROLLCALL_DATA_DIR", "/srv/rollcall"),
        ("ROLLCALL_DATABASE_URL", "postgres://ada:s3cret@db/rollcall"),
        ("ROLLCALL_DATABASE__MIGRATE_ON_START", "false"),
        ("ROLLCALL_HTTP__TRUSTED_PROXIES", "10.0.0.1, ::1"),
        ("ROLLCALL_PASSWORD__MIN_LENGTH", "20"),
        ("ROLLCALL_REGISTRATION__MODE", "invite"),
    ];
    let config = load(None, &env, Flags::default()).unwrap();
    assert_eq!(config.data_dir, PathBuf::from("/srv/rollcall"));
    assert_eq!(config.database.url.unwrap().expose(), "postgres://ada:s3cret@db/rollcall");
    assert!(!config.database.migrate_on_start);
    assert_eq!(config.http.trusted_proxies.len(), 2);
    assert_eq!(config.password.min_length, 20);
    assert_eq!(config.registration.mode, RegistrationMode::Invite);
}

#[test]
fn the_file_is_named_by_flag_before_variable_and_must_exist() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, port: u16| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("[http]\naddress = '127.0.0.1:{port}'\n")).unwrap();
        path
    };
    let (flag, variable) = (write("flag.toml", 1), write("variable.toml", 2));
    let env = [("ROLLCALL_CONFIG", variable.to_str().unwrap())];
    let flags = Flags { config: Some(flag), ..Flags::default() };
    assert_eq!(load(None, &env, flags).unwrap().http.address.port(), 1);
    assert_eq!(load(None, &env, Flags::default()).unwrap().http.address.port(), 2);
    let missing = Flags { config: Some(PathBuf::from(NO_FILE)), ..Flags::default() };
    assert!(
        load(None, &[], missing).unwrap_err().contains("/nonexistent/rollcall.toml (--config) can't be read")
    );
}

#[test]
fn the_url_may_stand_in_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("url");
    std::fs::write(&secret, "postgres://ada:s3cret@db/rollcall\n").unwrap();
    let file = ("ROLLCALL_DATABASE_URL_FILE", secret.to_str().unwrap());
    let config = load(None, &[file], Flags::default()).unwrap();
    assert_eq!(config.database.url.unwrap().expose(), "postgres://ada:s3cret@db/rollcall");
    let both = load(None, &[file, ("ROLLCALL_DATABASE_URL", "postgres://other/db")], Flags::default());
    assert!(both.unwrap_err().contains("are both set"));
    let owner = ("ROLLCALL_DATABASE_MIGRATION_URL_FILE", secret.to_str().unwrap());
    let config = load(None, &[file, owner], Flags::default()).unwrap();
    assert_eq!(config.database.migration_url.unwrap().expose(), "postgres://ada:s3cret@db/rollcall");
}

#[test]
fn the_owners_url_stands_beside_the_servers() {
    let url = ("ROLLCALL_DATABASE_URL", "postgres://server@db/rollcall");
    let owner = ("ROLLCALL_DATABASE_MIGRATION_URL", "postgres://owner:s3cret@db/rollcall");
    let config = load(None, &[url, owner], Flags::default()).unwrap();
    assert!(config.to_toml().contains("migration_url = \"postgres://owner:***@db/rollcall\""));
    let flag = DatabaseUrl::new("postgres://flag@db/rollcall");
    let flags = Flags { database_migration_url: Some(flag.clone()), ..Flags::default() };
    assert_eq!(load(None, &[url, owner], flags).unwrap().database.migration_url, Some(flag));
    let alone = load(None, &[owner], Flags::default()).unwrap_err();
    assert!(alone.starts_with("database.migration_url: needs database.url"), "{alone}");
}

#[test]
fn unknown_names_are_refused_and_named() {
    for (file, message) in [
        (
            "[http]\nadress = '127.0.0.1:1'\n",
            "http.adress: there is no such key (in rollcall.toml); [http] has address,",
        ),
        (
            "datadir = 'x'\n",
            "datadir: there is no such key (in rollcall.toml); the file may hold data_dir, [http],",
        ),
        ("[htp]\naddress = '127.0.0.1:1'\n", "htp: there is no such key"),
        ("http = 5\n", "http: there is no such key"),
        ("[http.address]\nport = 1\n", "http.address: must be an IP address"),
    ] {
        let error = load(Some(file), &[], Flags::default()).unwrap_err();
        assert!(error.starts_with(message), "{error}");
    }
    for (variable, message) in [
        ("ROLLCALL_HTTP__ADRESS", "but ROLLCALL_HTTP__ADDRESS;"),
        ("ROLLCALL_HTTP_ADDRESS", "but ROLLCALL_HTTP__ADDRESS;"),
        ("ROLLCALL_DATABASE__URL", "but ROLLCALL_DATABASE_URL;"),
        ("ROLLCALL_DATABSE_URL_FILE", "but ROLLCALL_DATABASE_URL_FILE;"),
        ("ROLLCALL_CONFGI", "but ROLLCALL_CONFIG;"),
        ("ROLLCALL_LOG__COLOUR", "(ROLLCALL_LOG__LEVEL, ROLLCALL_LOG__FORMAT)"),
        ("ROLLCALL_COLOUR__LOG", "names are ROLLCALL_<SECTION>__<KEY>"),
    ] {
        let error = load(None, &[(variable, "x")], Flags::default()).unwrap_err();
        let begins = format!("{variable}: there is no such environment variable");
        assert!(error.starts_with(&begins) && error.contains(message), "{error}");
    }
}

/// Kubernetes describes each service to each container, so a service `rollcall` must not stop a server of that name.
#[test]
fn variables_of_others_are_no_errors() {
    let ignored = |variable: &str, value: &str| {
        let env = [(variable.to_owned(), value.to_owned())].into_iter();
        layers::load(&Flags::default(), env, Path::new(NO_FILE)).map(|loaded| loaded.ignored).unwrap()
    };
    for (variable, value) in [
        ("ROLLCALL_URL", "http://127.0.0.1:8080"),
        ("ROLLCALL_PASSWORD", "bw2rn-xk62w-ctrn5-ubzin"),
        ("ROLLCALL_SERVICE_HOST", "10.0.0.1"),
        ("ROLLCALL_SERVICE_PORT", "8080"),
        ("ROLLCALL_SERVICE_PORT_HTTP", "8080"),
        ("ROLLCALL_PORT", "tcp://10.0.0.1:8080"),
        ("ROLLCALL_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
        ("ROLLCALL_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("ROLLCALL_PORT_8080_TCP_PROTO", "tcp"),
        ("ROLLCALL_DATABASE_PORT_5432_TCP_PORT", "5432"),
        ("ROLLCALL_DATABASE_SERVICE_HOST", "10.0.0.2"),
    ] {
        assert!(ignored(variable, value).is_empty(), "{variable} needs no warning");
    }
    // These may be meant as settings, so they get a warning.
    for (variable, value) in [("ROLLCALL_PORT", "8080"), ("ROLLCALL_THEME", "dark")] {
        assert_eq!(ignored(variable, value), [variable]);
    }
}

#[test]
fn localhost_is_an_address() {
    let config = load(None, &[("ROLLCALL_HTTP__ADDRESS", "localhost:8081")], Flags::default()).unwrap();
    assert_eq!(config.http.address.to_string(), "127.0.0.1:8081");
    assert!(config.to_toml().contains("127.0.0.1:8081"));
    for bad in ["localhost", "localhost:", "localhost:99999", "example.org:80"] {
        assert!(load(None, &[("ROLLCALL_HTTP__ADDRESS", bad)], Flags::default()).is_err(), "{bad}");
    }
}

#[test]
fn bad_values_name_key_rule_and_origin() {
    for (name, value, message) in [
        (
            "ROLLCALL_HTTP__ADDRESS",
            "localhost",
            "http.address: must be an IP address and a port, like \"127.0.0.1:8080\", \"[::]:8080\" or \"localhost:8080\", \
             not \"localhost\" (from the environment variable ROLLCALL_HTTP__ADDRESS)",
        ),
        (
            "ROLLCALL_PASSWORD__MIN_LENGTH",
            "4",
            "password.min_length: must be a whole number from 8 to 256, not 4 \
             (from the environment variable ROLLCALL_PASSWORD__MIN_LENGTH)",
        ),
        (
            "ROLLCALL_SESSION__IDLE_TIMEOUT_SECONDS",
            "100000",
            "session.idle_timeout_seconds: must be at most session.lifetime_seconds, which is 86400, not 100000 \
             (from the environment variable ROLLCALL_SESSION__IDLE_TIMEOUT_SECONDS)",
        ),
        (
            "ROLLCALL_REGISTRATION__MODE",
            "Open",
            "registration.mode: must be one of closed, invite, open, not \"Open\" \
             (from the environment variable ROLLCALL_REGISTRATION__MODE)",
        ),
    ] {
        assert_eq!(load(None, &[(name, value)], Flags::default()).unwrap_err(), message);
    }
    let error =
        load(Some("[password]\nparallelism = 4\nmemory_kib = 16\n"), &[], Flags::default()).unwrap_err();
    assert!(
        error.starts_with("password.memory_kib: must be at least 32")
            && error.ends_with("(in rollcall.toml)")
    );
    assert!(
        load(Some("[database]\npool_size = 200\n"), &[], Flags::default())
            .unwrap_err()
            .contains("at most 152")
    );
}

#[test]
fn the_password_of_the_database_is_never_shown() {
    let env = [("ROLLCALL_DATABASE_URL", "postgres://ada:s3cret@db/rollcall")];
    let config = load(None, &env, Flags::default()).unwrap();
    let flags = Flags { database_url: Some(DatabaseUrl::new("postgres://a:s3cret@b/c")), ..Flags::default() };
    let wrong_scheme = load(None, &[("ROLLCALL_DATABASE_URL", "mysql://ada:s3cret@db")], Flags::default());
    let bad_toml = load(Some("[database]\nurl = 'postgres://ada:s3cret@db\n"), &[], Flags::default());
    let bad_type = load(Some("[database]\nurl = ['s3cret']\n"), &[], Flags::default());
    for text in [
        config.to_toml(),
        format!("{config:?}{flags:?}"),
        wrong_scheme.unwrap_err(),
        bad_toml.unwrap_err(),
        bad_type.unwrap_err(),
    ] {
        assert!(!text.contains("s3cret"), "{text}");
    }
    assert!(config.to_toml().contains("postgres://ada:***@db/rollcall"));
}

#[test]
fn the_printed_configuration_can_be_read_back() {
    let printed = load(None, &[], Flags::default()).unwrap().to_toml();
    assert!(printed.contains(
        "# Not set: database.url, database.migration_url, database.postgres_bin_dir, password.max_age_days."
    ));
    assert_eq!(load(Some(&printed), &[], Flags::default()).unwrap().to_toml(), printed);
}

#[test]
fn the_table_of_keys_and_the_structs_are_in_step() {
    let mut config = Config::default();
    config.database.url = Some(DatabaseUrl::new("postgres://db/rollcall"));
    config.database.migration_url = Some(DatabaseUrl::new("postgres://owner@db/rollcall"));
    config.database.postgres_bin_dir = Some(PathBuf::from("/usr/lib/postgresql/15/bin"));
    config.password.max_age_days = Some(90);
    let table = toml::Table::try_from(&config).unwrap();
    for key in KEYS {
        let value = keys::get(&table, key.name);
        assert!(value.is_some_and(|value| key.takes.accepts(value)), "{} has the value {value:?}", key.name);
    }
    let fields: usize = table.values().map(|value| value.as_table().map_or(1, toml::Table::len)).sum();
    assert_eq!(fields, KEYS.len());
    assert!(!Path::new(NO_FILE).exists());
}
