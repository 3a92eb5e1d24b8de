//! Sets up, builds, runs and checks proxysight: one subcommand, one module.
//!
//! stdout is data (what was built, what cargo's tests print), stderr is talk. Exit: 0 done, 1 failed, 2 usage.

mod apt;
mod bench;
mod build;
mod cargo;
mod docs;
mod ebpf;
mod fuzz;
mod guest;
mod machine;
mod oracle;
mod packages;
mod run;
mod step;
mod test;
mod tidy;
mod toolchain;
mod verify;
mod vm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Sets up, builds, runs and checks proxysight
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = "Example: cargo xtask run -- --mode block")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    Ebpf(ebpf::Arguments),
    Build(build::Arguments),
    Run(run::Arguments),
    Test(test::Arguments),
    Tidy(tidy::Arguments),
    Docs(docs::Arguments),
    Bench(bench::Arguments),
    Fuzz(fuzz::Arguments),
    Oracle(oracle::Arguments),
    Verify(verify::Arguments),
    Vm(vm::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Ebpf(arguments) => ebpf::main(arguments),
        Task::Build(arguments) => build::main(arguments),
        Task::Run(arguments) => run::main(arguments),
        Task::Test(arguments) => test::main(arguments),
        Task::Tidy(arguments) => tidy::main(arguments),
        Task::Docs(arguments) => docs::main(arguments),
        Task::Bench(arguments) => bench::main(arguments),
        Task::Fuzz(arguments) => fuzz::main(arguments),
        Task::Oracle(arguments) => oracle::main(arguments),
        Task::Verify(arguments) => verify::main(arguments),
        Task::Vm(arguments) => vm::main(arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure:#}");
            ExitCode::FAILURE
        }
    }
}
