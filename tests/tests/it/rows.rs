//! Every row has the columns of its table, of the right kind, and an identity of its own.

use std::collections::HashSet;

use anyhow::{Context as _, Result, ensure};
use monitor_tests::{client::curl, proxy::Kind, schema};

use crate::world::World;

#[test]
fn every_row_has_the_columns_of_its_table() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let (daemon, _) = world.audits_evil()?;
    for url in ["https://evil.example:8443/", "https://good.example:9443/", "http://good.example:8080/"] {
        curl(&world.netns, &["-x", &proxy.url(), url])?;
        curl(&world.netns, &[url])?;
    }
    let account = daemon.stop()?;
    let mut tables = HashSet::new();
    let mut identities = HashSet::new();
    for row in &account.rows {
        schema::check(row)?;
        tables.insert(row.text("Table")?);
        let report = row.column("ReportId").with_context(|| format!("no ReportId in {row}"))?.to_string();
        let identity = (row.text("DeviceName")?, row.text("Timestamp")?, report);
        ensure!(identities.insert(identity), "two rows have one identity: {row}");
    }
    ensure!(tables.len() == 2, "not both tables have rows: {tables:?}");
    Ok(())
}
