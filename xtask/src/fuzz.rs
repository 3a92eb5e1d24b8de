//! `cargo xtask fuzz`: the parsers of bytes that others choose, each run by libFuzzer for a while.
//!
//! A target is a file in tests/fuzz/src/bin, and there is nothing else to add for one. Its inputs start from
//! tests/fuzz/corpus/TARGET, which may be missing; what the fuzzer finds on the way stays in target/fuzz. The compiler is
//! the project's own: coverage instrumentation is an LLVM pass that stable compilers have too. The instrumented code has no
//! `unsafe`, so there is no address sanitizer: a panic, an overflow, a time-out and too much memory are what is looked for.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{cargo, step::Steps};

/// Run the fuzz targets on each parser of hostile bytes
#[derive(clap::Args)]
#[command(after_help = "Example: cargo xtask fuzz inspect --seconds 600\n\nA new target is a new file in \
                        tests/fuzz/src/bin; its first inputs are files in tests/fuzz/corpus/TARGET.")]
pub(crate) struct Arguments {
    /// Which target; all of them, one after the other, when none is named
    target: Option<String>,
    /// How long each target runs
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
}

const TARGETS: &str = "tests/fuzz/src/bin";
const CORPUS: &str = "tests/fuzz/corpus";
/// What is built and found: never part of a commit.
const OUTPUT: &str = "target/fuzz";

/// What libFuzzer needs to see where an input goes: counters, the table of what they count, and compared values.
const INSTRUMENTATION: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg=fuzzing",
];

/// A message is put together up to 16 KiB: inputs may be a little longer.
const INPUT_BYTES_MAX: u32 = 17 << 10;
/// An input that takes longer is a fault. A packet takes microseconds, but on a busy machine the fuzzer waits for seconds.
const INPUT_SECONDS_MAX: u32 = 60;
/// More memory than this is a fault; the fuzzer itself takes about 100 MiB.
const MEMORY_MIB_MAX: u32 = 1024;

pub(crate) fn main(Arguments { target, seconds }: Arguments) -> Result<()> {
    let root = cargo::root();
    let targets = chosen(targets(&root)?, target.as_deref())?;
    let mut steps = Steps::default();
    let programs = build(&root, &mut steps)?;
    let done = targets.iter().try_for_each(|target| run(&root, &programs, target, seconds, &mut steps));
    steps.summarise();
    done
}

fn targets(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join(TARGETS)).with_context(|| format!("read {TARGETS}"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
        }
    }
    names.sort();
    Ok(names)
}

fn chosen(all: Vec<String>, wanted: Option<&str>) -> Result<Vec<String>> {
    let Some(wanted) = wanted else {
        return Ok(all);
    };
    ensure!(all.iter().any(|name| name == wanted), "there is no target `{wanted}`; there are {}", all.join(", "));
    Ok(vec![wanted.to_owned()])
}

/// Builds all targets and returns the folder with their programs.
fn build(root: &Path, steps: &mut Steps) -> Result<PathBuf> {
    steps.run("fuzz targets", "mend what the compiler says above, then run this again", |step| {
        let host = host(step.capture(Command::new("rustc").arg("-vV"))?.as_str())?;
        let mut build = cargo::host(root, "build");
        build.args(["--release", "--manifest-path", "tests/fuzz/Cargo.toml"]);
        // With a named target, flags are for the target alone, and not for build scripts and macros.
        build.args(["--target", &host]).env("CARGO_TARGET_DIR", root.join(OUTPUT));
        build.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENTATION.join("\x1f"));
        step.capture(&mut build)?;
        Ok(root.join(OUTPUT).join(host).join("release"))
    })
}

fn host(version: &str) -> Result<String> {
    let line = version.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned).context("rustc does not say what it builds for")
}

fn run(root: &Path, programs: &Path, target: &str, seconds: u32, steps: &mut Steps) -> Result<()> {
    let found = root.join(OUTPUT).join("corpus").join(target);
    let faults = root.join(OUTPUT).join("faults").join(target);
    for folder in [&found, &faults] {
        fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    }
    let program = programs.join(target);
    let next = format!("`{} FILE` runs the input that is named above alone", program.display());
    steps.run("fuzz", &next, |step| {
        step.at(target);
        let mut fuzz = Command::new(&program);
        fuzz.current_dir(root).args([
            format!("-max_total_time={seconds}"),
            format!("-max_len={INPUT_BYTES_MAX}"),
            format!("-timeout={INPUT_SECONDS_MAX}"),
            format!("-rss_limit_mb={MEMORY_MIB_MAX}"),
            format!("-artifact_prefix={}/", faults.display()),
            "-print_final_stats=1".to_owned(),
        ]);
        // New inputs go to the first folder; the others are read.
        let corpus = root.join(CORPUS).join(target);
        fuzz.arg(&found).args(corpus.is_dir().then_some(corpus));
        let output = step.capture(&mut fuzz)?;
        let Some(runs) = runs(&output) else {
            bail!("libFuzzer does not say how often it ran {target}:\n{output}");
        };
        step.print(&format!("{target}: {runs} inputs in {seconds} s, no fault"));
        Ok(())
    })
}

fn runs(output: &str) -> Option<u64> {
    output.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_target_is_told_the_known_ones() {
        let all = || vec!["event".to_owned(), "inspect".to_owned()];
        assert_eq!(chosen(all(), None).unwrap(), all());
        assert_eq!(chosen(all(), Some("event")).unwrap(), ["event"]);
        assert_eq!(
            chosen(all(), Some("x")).unwrap_err().to_string(),
            "there is no target `x`; there are event, inspect"
        );
    }

    #[test]
    fn every_folder_of_the_corpus_belongs_to_a_target() {
        let targets = targets(&cargo::root()).unwrap();
        for entry in fs::read_dir(cargo::root().join(CORPUS)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(targets.contains(&name), "{CORPUS}/{name}");
        }
    }

    #[test]
    fn the_number_of_inputs_is_read() {
        assert_eq!(runs("#1\nstat::number_of_executed_units: 1234\nstat::x: 1\n"), Some(1234));
        assert_eq!(runs("Done 1 runs\n"), None);
    }
}
