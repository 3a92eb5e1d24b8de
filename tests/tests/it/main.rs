//! One binary with every integration test of proxysight. Needs root, and runs one test at a time:
//! `cargo xtask test` does both.

mod account;
mod attempts;
mod audit;
mod block;
mod block_wire;
mod bypass;
mod chromium;
mod clients;
mod config;
mod control;
mod crowded;
mod cuts;
mod differential;
mod direct;
mod dns;
mod first_flight;
mod found;
mod fronts;
mod harness;
mod hello;
mod lenient;
mod lifecycle;
mod mismatch;
mod namespaces;
mod oracle;
mod password;
mod policy_check;
mod probe;
mod proxied;
mod quic;
mod refuse;
mod replay;
mod replay_dns;

mod resolved;
mod restart;
mod rows;
mod send_paths;
mod socks;
mod starttls;
mod status;
mod stream_clients;
mod stream_text;
mod urgent;
mod world;
