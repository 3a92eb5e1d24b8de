//! A network namespace with a loopback device, no route out, and names of its own.
//!
//! Programs run inside by `ip netns exec`, which becomes the program: the child's process id is the program's. Sockets
//! of the test itself are made by a thread that moves inside; a socket stays in the namespace that it was made in.

use std::{
    fs::{self, File},
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    os::fd::AsFd as _,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::tool;

/// Names that resolve inside. The last resolves to IPv6 only.
const HOSTS: &str = "\
127.0.0.1 localhost
::1 localhost
127.0.0.1 good.example other.example notevil.example refused.example
127.0.0.1 evil.example www.evil.example exact.example www.exact.example
::1 six.example
";

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A place where programs run: a namespace that this guard removes, or the host's own network.
#[derive(Debug)]
pub struct Netns {
    inside: Option<Inside>,
}

#[derive(Debug)]
struct Inside {
    name: String,
    /// Files that `ip netns exec` lays over those of /etc.
    etc: PathBuf,
}

impl Netns {
    /// Makes a namespace with its loopback device up.
    ///
    /// # Errors
    /// When `ip` is missing or refuses; it needs root.
    pub fn new() -> Result<Self> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("proxysight-{}-{number}", process::id());
        let etc = PathBuf::from("/etc/netns").join(&name);
        fs::create_dir_all(&etc).with_context(|| format!("make {}; the tests need root", etc.display()))?;
        ip(&["netns", "add", &name])?;
        let netns = Self { inside: Some(Inside { name: name.clone(), etc: etc.clone() }) };
        fs::write(etc.join("hosts"), HOSTS)?;
        // No name server: a name that is not in the hosts file fails at once.
        fs::write(etc.join("resolv.conf"), "")?;
        ip(&["-n", &name, "link", "set", "lo", "up"])?;
        Ok(netns)
    }

    /// The network that the daemon itself runs in.
    #[must_use]
    pub fn host() -> Self {
        Self { inside: None }
    }

    /// A command that runs `program` inside. Its arguments are added by the caller.
    ///
    /// # Errors
    /// When the program is not installed.
    pub fn command(&self, program: &str) -> Result<Command> {
        self.command_at(&tool::path_of(program)?)
    }

    /// The same for a program at a path.
    ///
    /// # Errors
    /// When `ip` is not installed.
    pub fn command_at(&self, path: &Path) -> Result<Command> {
        let Some(Inside { name, etc: _ }) = &self.inside else {
            return Ok(Command::new(path));
        };
        let mut command = Command::new(tool::path_of("ip")?);
        command.args(["netns", "exec", name]).arg(path);
        Ok(command)
    }

    /// Lays a file over `/etc/NAME` for the programs that are started inside from here on.
    ///
    /// # Errors
    /// When it cannot be written, or this is the host's own network.
    pub fn etc(&self, name: &str, content: &str) -> Result<()> {
        let Some(Inside { etc, .. }) = &self.inside else {
            bail!("the files of the host itself are not the tests' to change");
        };
        let path = etc.join(name);
        fs::write(&path, content).with_context(|| format!("write {}", path.display()))
    }

    /// Sets a parameter of the network inside, by its name as sysctl(8) has it.
    ///
    /// # Errors
    /// When there is none of this name, or this is the host's own network.
    pub fn sysctl(&self, name: &str, value: &str) -> Result<()> {
        ensure!(self.inside.is_some(), "the parameters of the host itself are not the tests' to change");
        let status = self.command("sysctl")?.args(["-q", "-w", &format!("{name}={value}")]).status()?;
        ensure!(status.success(), "sysctl ended with {status}");
        Ok(())
    }

    /// Has programs that start inside from now on ask this name server.
    ///
    /// # Errors
    /// When this is the host's own network, or the file cannot be written.
    pub fn ask_name_server(&self, address: IpAddr) -> Result<()> {
        self.etc("resolv.conf", &format!("nameserver {address}\n"))
    }

    /// A socket for datagrams inside, at a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn datagrams(&self) -> Result<UdpSocket> {
        self.datagrams_at(0)
    }

    /// The same at a port.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn datagrams_at(&self, port: u16) -> Result<UdpSocket> {
        let socket = self.within(|| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)))?;
        socket.context("bind a socket for datagrams")
    }

    /// A listening socket inside.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn listen(&self, address: SocketAddr) -> Result<TcpListener> {
        let listener = self.within(|| TcpListener::bind(address))?;
        listener.with_context(|| format!("listen on {address}"))
    }

    /// A connection made inside. The process that the daemon sees is the test itself.
    ///
    /// # Errors
    /// When the thread cannot enter the namespace; the inner error is that of the connection.
    pub fn connect(&self, address: SocketAddr) -> Result<io::Result<TcpStream>> {
        self.within(|| TcpStream::connect(address))
    }

    fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        let Some(Inside { name, etc: _ }) = &self.inside else {
            return Ok(work());
        };
        let namespace = File::open(PathBuf::from("/run/netns").join(name))?;
        // Only the new thread moves: the test's own stays where it is.
        thread::scope(|scope| {
            let visit = scope.spawn(|| -> Result<T> {
                move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
                Ok(work())
            });
            visit.join().map_err(|_| anyhow!("the thread inside {name} panicked"))?
        })
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        let Some(Inside { name, etc }) = &self.inside else {
            return;
        };
        let removed = ip(&["netns", "del", name]).and_then(|()| Ok(fs::remove_dir_all(etc)?));
        if let Err(error) = removed {
            let complaint = format!("remove the namespace {name}: {error:#}");
            if thread::panicking() {
                eprintln!("{complaint}");
            } else {
                panic!("{complaint}");
            }
        }
    }
}

fn ip(arguments: &[&str]) -> Result<()> {
    let output = Command::new(tool::path_of("ip")?).args(arguments).output()?;
    if !output.status.success() {
        bail!("ip {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
