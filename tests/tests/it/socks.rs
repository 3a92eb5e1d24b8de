//! Connections through a SOCKS proxy.

use anyhow::{Result, ensure};
use monitor_tests::{
    client::curl,
    expect::network,
    origin::PAGE,
    proxy::{CREDENTIALS, Kind},
};

use crate::world::World;

#[test]
fn a_client_of_a_socks_proxy_has_the_row_of_its_connection() -> Result<()> {
    let world = World::new()?;
    let (user, password) = CREDENTIALS;
    for (kind, credentials) in [(Kind::Dante, ":"), (Kind::DanteWithPassword, &*format!("{user}:{password}"))] {
        let proxy = world.proxy(kind)?;
        let daemon = world.audits()?;
        let config = world.policy("curlrc", &format!("proxy-user = \"{credentials}\"\n"))?;
        let config = config.to_string_lossy();
        let ran = curl(&world.netns, &["-K", &config, "-x", &proxy.url(), "https://good.example:8443/"])?;
        ran.got(PAGE)?;
        let to_proxy = network("ConnectionSuccess").pid(ran.pid).column("RemoteIP", "127.0.0.1");
        daemon.row(&to_proxy.column("RemotePort", proxy.port()).column("RemoteUrl", ""))?;
        let account = daemon.stop()?;
        let told = account.rows.iter().find(|row| row.to_string().contains(password));
        ensure!(told.is_none(), "a row tells the password: {told:?}");
    }
    Ok(())
}

#[test]
fn a_socks_proxy_refuses_a_wrong_password() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::DanteWithPassword)?;
    let daemon = world.audits()?;
    let ran = curl(&world.netns, &["-U", "someone:else", "-x", &proxy.url(), "https://good.example:8443/"])?;
    ensure!(ran.status == 97, "the proxy took the password: {ran:#?}");
    daemon.row(&network("ConnectionSuccess").pid(ran.pid).column("RemotePort", proxy.port()))?;
    daemon.stop()?;
    Ok(())
}
