//! The web server at the far end: nginx with TLS (HTTP/1.1 and HTTP/2) and plain HTTP, on IPv4 and IPv6.

use std::{
    fs,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

use crate::{netns::Netns, running::Running, temp::TempDir, tool, wait};

/// What every page says, so that a client's output shows that it got one.
pub const PAGE: &str = "this is the origin";

/// Where it listens.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// TLS.
    pub tls: u16,
    /// Plain HTTP.
    pub http: u16,
}

impl Default for Ports {
    fn default() -> Self {
        Self { tls: 8443, http: 8080 }
    }
}

/// A running web server. It answers every request with [`PAGE`] and logs what it was asked.
#[derive(Debug)]
pub struct Origin {
    // Ends before its files are removed: fields go in this order.
    running: Running,
    dir: TempDir,
}

impl Origin {
    /// Starts it and waits until it accepts on all its ports.
    ///
    /// # Errors
    /// When a tool is missing or nginx does not start.
    pub fn start(netns: &Netns, ports: Ports) -> Result<Self> {
        let dir = TempDir::new()?;
        let certificate = dir.path().join("certificate.pem");
        make_certificate(&certificate, &dir.path().join("key.pem"))?;
        convert_to_der(&certificate, &dir.path().join("certificate.der"))?;
        let path = dir.path().display().to_string();
        let config = CONFIG.replace("DIR", &path).replace("PAGE", PAGE);
        let config = config.replace("TLS", &ports.tls.to_string()).replace("PLAIN", &ports.http.to_string());
        let config = dir.write("nginx.conf", &config)?;
        let mut command = netns.command("nginx")?;
        command.arg("-c").arg(config).arg("-p").arg(dir.path()).arg("-e").arg(dir.path().join("error.log"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let running = Running::spawn("nginx", &mut command)?;
        let mut origin = Self { running, dir };
        for port in [ports.tls, ports.http] {
            for address in [SocketAddr::from((Ipv4Addr::LOCALHOST, port)), (Ipv6Addr::LOCALHOST, port).into()] {
                wait_for_port(netns, "nginx", address, &mut origin.running)
                    .with_context(|| fs::read_to_string(origin.dir.path().join("error.log")).unwrap_or_default())?;
            }
        }
        Ok(origin)
    }

    /// The certificate that it shows, in DER.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn certificate_der(&self) -> Result<Vec<u8>> {
        Ok(fs::read(self.dir.path().join("certificate.der"))?)
    }

    /// What it was asked so far, one request a line: `PORT HOST SNI "REQUEST LINE"`.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn requests(&self) -> Result<String> {
        Ok(fs::read_to_string(self.dir.path().join("access.log"))?)
    }
}

/// Waits until something accepts at an address of `netns`; fails at once when `running` has ended.
///
/// # Errors
/// When the program ends or does not accept.
pub fn wait_for_port(netns: &Netns, name: &str, address: SocketAddr, running: &mut Running) -> Result<()> {
    wait::until(&format!("{name} accepts at {address}"), || {
        if let Some(status) = running.ended()? {
            anyhow::bail!("{name} ended with {status} before it accepted at {address}");
        }
        Ok(netns.connect(address)?.ok())
    })?;
    Ok(())
}

/// Makes a certificate for every name in `.example`, and its key, in PEM.
///
/// # Errors
/// When openssl is missing or refuses.
pub fn make_certificate(certificate: &Path, key: &Path) -> Result<()> {
    let mut request = Command::new(tool::path_of("openssl")?);
    request.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
    request.args(["-days", "2", "-subj", "/CN=good.example"]);
    request.args(["-addext", "subjectAltName=DNS:good.example,DNS:*.example"]);
    // Not an authority's certificate: rustls would refuse it as a server's own.
    request.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    request.arg("-keyout").arg(key).arg("-out").arg(certificate);
    run(&mut request)
}

fn convert_to_der(pem: &Path, der: &Path) -> Result<()> {
    let mut convert = Command::new(tool::path_of("openssl")?);
    convert.args(["x509", "-outform", "der", "-in"]).arg(pem).arg("-out").arg(der);
    run(&mut convert)
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

const CONFIG: &str = r#"
daemon off;
master_process off;
pid DIR/nginx.pid;
error_log DIR/error.log warn;
events { worker_connections 256; }
http {
    log_format names '$server_port $host $ssl_server_name "$request"';
    access_log DIR/access.log names;
    client_body_temp_path DIR/body;
    proxy_temp_path DIR/proxy;
    fastcgi_temp_path DIR/fastcgi;
    uwsgi_temp_path DIR/uwsgi;
    scgi_temp_path DIR/scgi;
    default_type text/plain;
    server {
        listen 127.0.0.1:TLS ssl http2;
        listen [::1]:TLS ssl http2;
        ssl_certificate DIR/certificate.pem;
        ssl_certificate_key DIR/key.pem;
        location / { return 200 "PAGE\n"; }
    }
    server {
        listen 127.0.0.1:PLAIN;
        listen [::1]:PLAIN;
        location / { return 200 "PAGE\n"; }
    }
}
"#;
