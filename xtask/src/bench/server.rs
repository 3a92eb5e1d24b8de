//! nginx with a configuration of its own: one process, one port of loopback, one tiny answer, nothing written.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use super::process::Running;
use crate::machine;

const PATIENCE: Duration = Duration::from_secs(5);

/// nginx at work.
pub(super) struct Server {
    /// Kept for its end: the process is killed with it.
    #[expect(dead_code, reason = "held so that the child ends with this value")]
    nginx: Running,
    address: SocketAddr,
}

impl Server {
    /// Starts nginx below `directory` and waits until it answers.
    pub(super) fn start(directory: &Path) -> Result<Self> {
        let program = machine::find("nginx").context("nginx is not here")?;
        // The port is free a moment longer than it takes nginx to bind it; should another take it, nginx says so.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let configuration = directory.join("nginx.conf");
        fs::write(&configuration, text(directory, address)).context("write nginx.conf")?;
        let mut command = Command::new(program);
        command.arg("-p").arg(directory).arg("-c").arg(&configuration).stdin(Stdio::null()).stdout(Stdio::null());
        let mut nginx = Running::start("nginx", &mut command)?;
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            if !nginx.is_running()? || begun.elapsed() > PATIENCE {
                bail!("nginx does not answer at {address}");
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { nginx, address })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

fn text(directory: &Path, address: SocketAddr) -> String {
    let directory = directory.display();
    // Without a master the one process is our child, and ends when it is killed.
    format!(
        "daemon off;\nmaster_process off;\nworker_processes 1;\npid \"{directory}/nginx.pid\";\n\
         error_log stderr error;\nevents {{ worker_connections 1024; }}\nhttp {{\n  access_log off;\n  \
         client_body_temp_path \"{directory}/body\";\n  proxy_temp_path \"{directory}/proxy\";\n  \
         fastcgi_temp_path \"{directory}/fastcgi\";\n  uwsgi_temp_path \"{directory}/uwsgi\";\n  \
         scgi_temp_path \"{directory}/scgi\";\n  \
         server {{ listen {address} backlog=1024; location / {{ return 200 \"here\\n\"; }} }}\n}}\n"
    )
}
