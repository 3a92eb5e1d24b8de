//! The harness of proxysight's integration tests: the real daemon on the real kernel, watched while real clients talk
//! through real proxies in network namespaces of their own.
//!
//! Everything a test starts is owned by a guard that ends it in `drop`, and says so loudly when it cannot. Nothing here
//! reaches the Internet: a namespace has a loopback device and no route. A tool that is missing fails the test with the
//! command that installs it; nothing is skipped.
//!
//! The daemon attaches to the root of the cgroup hierarchy and only one can run at a time, so the tests run one after
//! the other (`--test-threads=1`). Rows of the rest of the machine come along: a test asks by process id.

pub mod capture;
pub mod clear_text;
pub mod client;
pub mod control;
pub mod daemon;
pub mod expect;
pub mod feed;
pub mod hello;
pub mod name_server;
pub mod netns;
pub mod origin;
pub mod proxy;
pub mod quic;
pub mod row;
pub mod running;
pub mod schema;
pub mod sink;
pub mod temp;
pub mod tool;
pub mod wait;
pub mod wire;
