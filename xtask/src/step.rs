//! Named steps: progress while one works, its seconds when it is done, its output and the next thing to do when it fails.
//!
//! On a terminal a step is a spinner that shows the last line of the command at work; elsewhere it is two plain
//! lines. All of it goes to stderr. Commands whose stdout is data are shown with `Step::show`.

use std::{
    fmt,
    io::{BufRead as _, BufReader, IsTerminal as _, Read, Write as _},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};

/// The steps of one task, in the order they ran.
#[derive(Default)]
pub(crate) struct Steps {
    ended: Vec<Ended>,
}

struct Ended {
    name: &'static str,
    took: Duration,
    outcome: Outcome,
}

enum Outcome {
    Done,
    Failed,
}

impl Steps {
    /// Runs `work` as the step `name`; when it fails, `next` tells the reader what to do.
    pub(crate) fn run<T>(
        &mut self,
        name: &'static str,
        next: &str,
        work: impl FnOnce(&Step) -> Result<T>,
    ) -> Result<T> {
        let step = Step::begin(name);
        let done = work(&step);
        let took = step.begun.elapsed();
        step.bar.finish_and_clear();
        let outcome = if done.is_ok() { Outcome::Done } else { Outcome::Failed };
        let ended = Ended { name, took, outcome };
        eprintln!("xtask: {ended}");
        self.ended.push(ended);
        done.with_context(|| format!("step `{name}` failed\n  next: {next}\n  cause"))
    }

    /// Prints every step with its seconds.
    pub(crate) fn summarise(&self) {
        let total: Duration = self.ended.iter().map(|ended| ended.took).sum();
        eprintln!("xtask: summary");
        for ended in &self.ended {
            eprintln!("xtask:   {ended}");
        }
        eprintln!("xtask:   {:<28} {:>7.1} s", "in all", total.as_secs_f64());
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.took.as_secs_f64();
        match self.outcome {
            Outcome::Done => write!(f, "{:<28} {seconds:>7.1} s", self.name),
            Outcome::Failed => write!(f, "{:<28} {seconds:>7.1} s  FAILED", self.name),
        }
    }
}

const SPINNER: &str = "{spinner} {prefix} {elapsed} {wide_msg:.dim}";
const BYTES: &str = "{spinner} {prefix} {elapsed} {bar:30} {bytes} of {total_bytes} {wide_msg:.dim}";

/// A template that the library does not take leaves the bar as it was.
fn draw(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}

/// A step at work.
pub(crate) struct Step {
    begun: Instant,
    bar: ProgressBar,
}

impl Step {
    fn begin(name: &'static str) -> Self {
        let bar = if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new_spinner().with_prefix(name);
            draw(&bar, SPINNER);
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        } else {
            eprintln!("xtask: {name} …");
            ProgressBar::hidden()
        };
        Self { begun: Instant::now(), bar }
    }

    /// Tells what the step is at, where a terminal can show it.
    pub(crate) fn at(&self, what: impl Into<String>) {
        self.bar.set_message(what.into());
    }

    /// Tells how many of `total` bytes have come: a bar, where a terminal can show it.
    pub(crate) fn arrived(&self, bytes: u64, total: u64) {
        draw(&self.bar, BYTES);
        self.bar.set_length(total);
        self.bar.set_position(bytes.min(total));
    }

    /// The bar of [`arrived`](Self::arrived) becomes a spinner again.
    pub(crate) fn all_arrived(&self) {
        draw(&self.bar, SPINNER);
    }

    /// Prints a line that stays, above the spinner.
    pub(crate) fn say(&self, line: &str) {
        self.bar.suspend(|| eprintln!("xtask: {line}"));
    }

    /// Prints a line of data, above the spinner.
    pub(crate) fn print(&self, line: &str) {
        // A reader that has gone (`| head`) wants no more: that is no failure, and the step goes on.
        self.bar.suspend(|| writeln!(std::io::stdout(), "{line}").unwrap_or_default());
    }

    /// Runs `command` with its output kept back; the output is printed when it fails and returned when it does not.
    pub(crate) fn capture(&self, command: &mut Command) -> Result<String> {
        let (status, output) = self.collect(command)?;
        if !status.success() {
            self.bar.suspend(|| eprintln!("{}", output.trim_end()));
            bail!("`{}` ended with {status}", shown(command));
        }
        Ok(output)
    }

    /// Runs `command` with its stdout and stderr on ours.
    pub(crate) fn show(&self, command: &mut Command) -> Result<()> {
        self.bar.finish_and_clear();
        let status = command.status().with_context(|| format!("start `{}`", shown(command)))?;
        if !status.success() {
            bail!("`{}` ended with {status}", shown(command));
        }
        Ok(())
    }

    /// Runs `command` until it says a line that `is_last` knows, then ends it; it may also end by itself. Gives what it said.
    ///
    /// # Errors
    /// It does neither in `limit`; what it said is printed then.
    pub(crate) fn capture_until(
        &self,
        command: &mut Command,
        limit: Duration,
        is_last: impl Fn(&str) -> bool,
    ) -> Result<String> {
        let deadline = Instant::now() + limit;
        let mut running = Running::start(command)?;
        let mut output = String::new();
        let outcome = loop {
            match running.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.add(&mut output, &line);
                    if is_last(&line) {
                        break Ok(());
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break Ok(()),
                Err(RecvTimeoutError::Timeout) => {
                    self.bar.suspend(|| eprintln!("{}", output.trim_end()));
                    break Err(anyhow!("`{}` was ended after {} s", shown(command), limit.as_secs()));
                }
            }
        };
        // To end a program that has ended is no error.
        running.child.kill().with_context(|| format!("end `{}`", shown(command)))?;
        running.child.wait()?;
        outcome.map(|()| output)
    }

    /// Both streams of `command` in one text, each line also shown as it comes.
    fn collect(&self, command: &mut Command) -> Result<(ExitStatus, String)> {
        let Running { mut child, lines, readers } = Running::start(command)?;
        let mut output = String::new();
        for line in lines {
            self.add(&mut output, &line);
        }
        for reader in readers {
            if reader.join().is_err() {
                bail!("reading the output of `{}` failed", shown(command));
            }
        }
        Ok((child.wait()?, output))
    }

    fn add(&self, output: &mut String, line: &str) {
        self.at(line.trim());
        output.push_str(line);
        output.push('\n');
    }
}

/// A command at work, and the lines of both its streams as they come.
struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
    readers: Vec<thread::JoinHandle<()>>,
}

impl Running {
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("start `{}`", shown(command)))?;
        let (sender, lines) = mpsc::channel();
        let readers = [
            child.stdout.take().map(|pipe| forward(pipe, sender.clone())),
            child.stderr.take().map(|pipe| forward(pipe, sender)),
        ];
        Ok(Self { child, lines, readers: readers.into_iter().flatten().collect() })
    }
}

/// Sends each line of `pipe` on, until it closes or nobody listens.
fn forward(pipe: impl Read + Send + 'static, lines: mpsc::Sender<String>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
            if lines.send(text).is_err() {
                return;
            }
            line.clear();
        }
    })
}

/// A command as a person would type it, without its environment.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

/// `word` so that a shell reads it as one word.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "-_./=+,:@%".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_streams_are_captured() {
        let mut steps = Steps::default();
        let output = steps.run("t", "-", |step| step.capture(&mut shell("echo out; echo err >&2"))).unwrap();
        let mut lines: Vec<_> = output.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["err", "out"]);
    }

    #[test]
    fn a_command_is_ended_at_its_last_line_or_at_the_limit() {
        let mut steps = Steps::default();
        let mut until = |script: &str, limit| {
            let mut command = shell(script);
            steps.run("t", "-", |step| step.capture_until(&mut command, limit, |line| line == "done"))
        };
        let patience = Duration::from_secs(60);
        assert_eq!(until("echo a; echo done; exec sleep 600", patience).unwrap(), "a\ndone\n");
        assert_eq!(until("echo a; exit 3", patience).unwrap(), "a\n");
        let failure = until("echo a; exec sleep 600", Duration::from_millis(50)).unwrap_err();
        assert!(format!("{failure:#}").contains("was ended after 0 s"), "{failure:#}");
    }

    #[test]
    fn a_shown_command_can_be_pasted() {
        let mut command = Command::new("run");
        assert_eq!(shown(command.args(["--policy=/a", "b c", "d'e", ""])), r"run --policy=/a 'b c' 'd'\''e' ''");
    }

    #[test]
    fn a_failed_step_names_itself_and_what_to_do_next() {
        let mut steps = Steps::default();
        let failure = steps.run("clippy", "mend it", |step| step.capture(&mut shell("exit 3"))).unwrap_err();
        let text = format!("{failure:#}");
        assert!(text.contains("step `clippy` failed") && text.contains("next: mend it"), "{text}");
        assert!(text.contains("exit status: 3"), "{text}");
    }
}
