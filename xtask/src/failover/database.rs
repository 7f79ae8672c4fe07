//! The database and its two roles, as in the README's section "In production".

use anyhow::Context;
use tokio_postgres::NoTls;

use super::ports::{Ports, password};

/// Hosts and passwords of the database.
#[derive(Debug)]
pub struct Database {
    /// The machines' ports, behind their relays.
    pub hosts: [u16; 3],
    /// The superuser's password.
    pub superuser: String,
    /// The password of the owner of the tables.
    pub owner: String,
    /// The password of the role that servers run as.
    pub server: String,
}

impl Database {
    /// Creates passwords and takes ports.
    pub fn new(ports: &mut Ports) -> anyhow::Result<Self> {
        Ok(Self { hosts: ports.three()?, superuser: password()?, owner: password()?, server: password()? })
    }

    /// URL for a role, with the ports of all relays.
    fn url(&self, role: &str, password: &str, database: &str) -> String {
        let hosts = self.hosts.map(|port| format!("127.0.0.1:{port}")).join(",");
        format!(
            "postgres://{role}:{password}@{hosts}/{database}?target_session_attrs=read-write&connect_timeout=3"
        )
    }

    /// Creates the roles and the database.
    pub async fn create(&self) -> anyhow::Result<()> {
        let roles = [("rollcall_owner", &self.owner), ("rollcall_server", &self.server)]
            .map(|(role, password)| format!("CREATE ROLE {role} LOGIN PASSWORD '{password}'"));
        self.run("postgres", &roles).await?;
        self.run("postgres", &["CREATE DATABASE rollcall OWNER rollcall_owner".to_owned()]).await?;
        let own =
            ["ALTER SCHEMA public OWNER TO rollcall_owner", "REVOKE CREATE ON SCHEMA public FROM PUBLIC"];
        self.run("rollcall", &own.map(str::to_owned)).await
    }

    async fn run(&self, database: &str, statements: &[String]) -> anyhow::Result<()> {
        let url = self.url("postgres", &self.superuser, database);
        let (client, driver) = tokio_postgres::connect(&url, NoTls).await.context("reaching the database")?;
        let driver = tokio::spawn(driver);
        for statement in statements {
            client.batch_execute(statement).await.context("preparing the database")?;
        }
        drop(client);
        driver.await?.context("closing the connection to the database")
    }
}
