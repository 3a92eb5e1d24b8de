//! One binary with every integration test of proxysight. Needs root, and runs one test at a time:
//! `cargo xtask test` does both.

mod account;
mod audit;
mod block;
mod block_wire;
mod chromium;
mod clients;
mod config;
mod cuts;
mod differential;
mod direct;
mod dns;
mod first_flight;
mod fronts;
mod harness;
mod hello;
mod lifecycle;
mod namespaces;
mod password;
mod policy_check;
mod probe;
mod proxied;
mod quic;
mod refuse;
mod replay;
mod replay_oracle;
mod resolved;
mod restart;
mod rows;
mod send_paths;
mod socks;
mod starttls;
mod stream_text;
mod urgent;
mod world;
