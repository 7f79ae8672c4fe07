//! Merging of the layers: file, environment and flags are merged as raw values, each with its origin, then checked
//! against the table of keys, and then converted into a [`Config`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::keys::{self, KEYS, Key};
use super::variables::{self, Meaning};
use super::{Config, ConfigError, Flags, Loaded};

pub(super) const PREFIX: &str = "ROLLCALL_";
pub(super) const FILE_VARIABLE: &str = "ROLLCALL_CONFIG";
const URL_VARIABLE: &str = "ROLLCALL_DATABASE_URL";
const MIGRATION_URL_VARIABLE: &str = "ROLLCALL_DATABASE_MIGRATION_URL";

/// The values collected so far, with their origins.
#[derive(Default)]
struct Layers {
    values: BTreeMap<&'static str, (Value, String)>,
}

/// [`Config::load`] with the default file as a parameter.
pub(super) fn load(
    flags: &Flags,
    env: impl Iterator<Item = (String, String)>,
    default_file: &Path,
) -> Result<Loaded, ConfigError> {
    let env: BTreeMap<String, String> = env.filter(|(name, _)| name.starts_with(PREFIX)).collect();
    let mut layers = Layers::default();
    let named = match (&flags.config, env.get(FILE_VARIABLE)) {
        (Some(path), _) => Some((path.clone(), "--config")),
        (None, Some(path)) if path.is_empty() => {
            return Err(ConfigError::new(format!("{FILE_VARIABLE} is empty: name a file or unset it")));
        }
        (None, Some(path)) => Some((PathBuf::from(path), FILE_VARIABLE)),
        (None, None) => None,
    };
    match named {
        Some((path, source)) => layers.add_file(&path, source)?,
        None if default_file.exists() => layers.add_file(default_file, "the default file")?,
        None => {}
    }
    let ignored = layers.add_environment(&env)?;
    layers.add_flags(flags);
    let mut config = layers.finish()?;
    if let Some(path) = &flags.data_dir {
        // A path that isn't UTF-8 doesn't survive as a TOML value.
        config.data_dir.clone_from(path);
    }
    Ok(Loaded { config, ignored })
}

impl Layers {
    fn set(&mut self, key: &'static Key, value: Value, origin: String) {
        self.values.insert(key.name, (value, origin));
    }

    fn add_file(&mut self, path: &Path, source: &str) -> Result<(), ConfigError> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            ConfigError::new(format!("the configuration file {shown} ({source}) can't be read: {error}"))
        })?;
        let table: Table = text.parse().map_err(|error| syntax_error(path, &text, &error))?;
        for (name, value) in table {
            match value {
                Value::Table(section) if KEYS.iter().any(|key| section_of(key) == Some(name.as_str())) => {
                    for (inner, value) in section {
                        self.add_from_file(&format!("{name}.{inner}"), value, path)?;
                    }
                }
                value => self.add_from_file(&name, value, path)?,
            }
        }
        Ok(())
    }

    fn add_from_file(&mut self, name: &str, value: Value, path: &Path) -> Result<(), ConfigError> {
        let Some(key) = keys::find(name) else {
            return Err(ConfigError::new(format!(
                "{name}: there is no such key (in {}); {}",
                path.display(),
                neighbours(name)
            )));
        };
        self.set(key, value, format!("in {}", path.display()));
        Ok(())
    }

    /// Applies the variables that are settings; returns the unknown ones that are ignored.
    fn add_environment(&mut self, env: &BTreeMap<String, String>) -> Result<Vec<String>, ConfigError> {
        let mut ignored = Vec::new();
        for (variable, text) in env {
            if variable == FILE_VARIABLE {
                continue;
            }
            if let Some(key) = KEYS.iter().find(|key| key.file_variable().as_ref() == Some(variable)) {
                self.add_named_file(key, variable, text, env)?;
                continue;
            }
            if let Some(key) = KEYS.iter().find(|key| key.variable() == *variable) {
                self.set(key, key.read(text), format!("from the environment variable {variable}"));
                continue;
            }
            match variables::meaning(variable, text) {
                Meaning::Misspelt(meant) => {
                    return Err(ConfigError::new(unknown_variable(variable, meant.as_deref())));
                }
                Meaning::Others => {}
                Meaning::Unknown => ignored.push(variable.clone()),
            }
        }
        Ok(ignored)
    }

    /// Reads a value from the file that a variable names.
    fn add_named_file(
        &mut self,
        key: &'static Key,
        variable: &str,
        path: &str,
        env: &BTreeMap<String, String>,
    ) -> Result<(), ConfigError> {
        let direct = key.variable();
        if env.contains_key(&direct) {
            return Err(ConfigError::new(format!("{direct} and {variable} are both set: unset one of them")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| {
            ConfigError::new(format!("{variable}: the file {path} can't be read: {error}"))
        })?;
        self.set(key, key.read(text.trim()), format!("from the file {path}, named by {variable}"));
        Ok(())
    }

    fn add_flags(&mut self, flags: &Flags) {
        let path = |path: &PathBuf| path.to_string_lossy().into_owned();
        for (name, flag, text) in [
            ("data_dir", "--data-dir", flags.data_dir.as_ref().map(path)),
            (
                "database.url",
                "--database-url",
                flags.database_url.as_ref().map(|url| url.expose().to_owned()),
            ),
            (
                "database.migration_url",
                "--database-migration-url",
                flags.database_migration_url.as_ref().map(|url| url.expose().to_owned()),
            ),
            ("http.address", "--address", flags.address.clone()),
        ] {
            if let (Some(key), Some(text)) = (keys::find(name), text) {
                self.set(key, key.read(&text), format!("from {flag}"));
            }
        }
    }

    fn finish(self) -> Result<Config, ConfigError> {
        let mut table = Table::new();
        for (name, (value, origin)) in &self.values {
            if let Some(key) = keys::find(name)
                && !key.takes.accepts(value)
            {
                let (rule, shown) = (key.takes, key.show(value));
                return Err(ConfigError::new(format!("{name}: must be {rule}, not {shown} ({origin})")));
            }
            let value = keys::find(name).map_or_else(|| value.clone(), |key| key.takes.settle(value));
            match name.split_once('.') {
                Some((section, key)) => {
                    let section =
                        table.entry(section.to_owned()).or_insert_with(|| Value::Table(Table::new()));
                    if let Some(section) = section.as_table_mut() {
                        section.insert(key.to_owned(), value);
                    }
                }
                None => drop(table.insert((*name).to_owned(), value)),
            }
        }
        let config: Config = table.try_into().map_err(|error: toml::de::Error| {
            ConfigError::new(format!("the configuration can't be used: {}", error.message()))
        })?;
        self.check_together(&config)?;
        Ok(config)
    }

    /// Checks rules over more than one key.
    fn check_together(&self, config: &Config) -> Result<(), ConfigError> {
        let Config { session, password, database, .. } = config;
        if session.idle_timeout_seconds > session.lifetime_seconds {
            return Err(self.broken(
                "session.idle_timeout_seconds",
                &format!("at most session.lifetime_seconds, which is {}", session.lifetime_seconds),
                session.idle_timeout_seconds,
            ));
        }
        let least = password.parallelism.saturating_mul(8);
        if password.memory_kib < least {
            return Err(self.broken(
                "password.memory_kib",
                &format!("at least {least}, 8 for each of password.parallelism"),
                password.memory_kib,
            ));
        }
        if database.url.is_none() && database.migration_url.is_some() {
            return Err(ConfigError::new(
                "database.migration_url: needs database.url beside it, the same database as the server's role",
            ));
        }
        let most = PRIVATE_DATABASE_CONNECTIONS
            .saturating_sub(database.shared_connections)
            .saturating_sub(database.search_pool_size);
        if database.url.is_none() && database.pool_size > most {
            return Err(self.broken(
                "database.pool_size",
                &format!("at most {most} with the private database (set database.url for your own)"),
                database.pool_size,
            ));
        }
        Ok(())
    }

    fn broken(&self, name: &str, rule: &str, value: impl std::fmt::Display) -> ConfigError {
        let origin = self.values.get(name).map_or("the default", |(_, origin)| origin.as_str());
        ConfigError::new(format!("{name}: must be {rule}, not {value} ({origin})"))
    }
}

/// Maximum number of connections of the two pools and the shared ones together, of the private database's 200, so
/// that commands and migrations find a connection too.
const PRIVATE_DATABASE_CONNECTIONS: u32 = 160;

fn section_of(key: &'static Key) -> Option<&'static str> {
    key.name.split_once('.').map(|(section, _)| section)
}

/// The valid keys next to an unknown one.
fn neighbours(name: &str) -> String {
    if let Some((section, _)) = name.split_once('.') {
        let known: Vec<&str> = KEYS
            .iter()
            .filter_map(|key| key.name.split_once('.'))
            .filter(|k| k.0 == section)
            .map(|k| k.1)
            .collect();
        return format!("[{section}] has {}", known.join(", "));
    }
    let mut sections: Vec<String> = Vec::new();
    for key in KEYS {
        let place = section_of(key).map_or_else(|| key.name.to_owned(), |section| format!("[{section}]"));
        if !sections.contains(&place) {
            sections.push(place);
        }
    }
    format!("the file may hold {}", sections.join(", "))
}

fn unknown_variable(variable: &str, meant: Option<&str>) -> String {
    if let Some(meant) = meant {
        return format!(
            "{variable}: there is no such environment variable, but {meant}; unset it or correct its name"
        );
    }
    let section =
        variable.strip_prefix(PREFIX).and_then(|rest| rest.split_once("__")).map(|(section, _)| section);
    let mut known: Vec<String> = KEYS
        .iter()
        .filter(|key| section.is_some() && section_of(key).map(str::to_uppercase).as_deref() == section)
        .map(Key::variable)
        .collect();
    if known.is_empty() {
        known.push("names are ROLLCALL_<SECTION>__<KEY>, like ROLLCALL_HTTP__ADDRESS".to_owned());
        known.push(format!(
            "besides {FILE_VARIABLE}, ROLLCALL_DATA_DIR, {URL_VARIABLE} and {MIGRATION_URL_VARIABLE}, also with _FILE"
        ));
    }
    format!(
        "{variable}: there is no such environment variable; unset it or correct its name ({})",
        known.join(", ")
    )
}

/// A syntax error without the line's text, which may contain the database's password.
fn syntax_error(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    ConfigError::new(format!("{}, line {line}: not valid TOML: {}", path.display(), error.message()))
}
