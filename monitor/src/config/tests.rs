//! Files, good and bad, and what is said of them.

use super::*;

fn read(text: &str) -> Settings {
    file::parse(text.as_bytes(), Path::new("/etc/p/c.toml")).unwrap()
}

/// What is said of a bad file.
fn check_bad(bytes: &[u8], expect: &[&str]) {
    let problems = file::parse(bytes, Path::new("c.toml")).unwrap_err();
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(said, expect, "{}", bytes.escape_ascii());
}

#[test]
fn a_file_that_says_nothing_changes_nothing() {
    for text in ["", "# nothing\n", "[records]\n"] {
        assert_eq!(read(text), Settings::default());
    }
    assert_eq!(Settings::default().families(), Families::default());
}

#[test]
fn what_a_file_says_is_read_with_its_line() {
    let settings =
        read("mode = 'block'\npolicy = [\n 'a', '/b',\n]\n\n[records]\nattempts = true\nformat = \"json\"\n");
    assert_eq!(*settings.mode.value(), Mode::Block);
    assert_eq!(*settings.policy.value(), [PathBuf::from("/etc/p/a"), PathBuf::from("/b")]);
    assert_eq!(*settings.records.format.value(), Form::Json);
    assert!(settings.families().attempts && settings.families().ends);
    assert_eq!(settings.records.attempts.origin.to_string(), "/etc/p/c.toml:7");
    assert_eq!(read("mode = 'disabled'").mode.value(), &Mode::Off);
    assert_eq!(read("records.dns = false").families(), read("[records]\ndns = false").families());
}

#[test]
fn a_mismatch_that_is_off_has_no_rows() {
    assert!(!read("on_mismatch = 'off'").families().mismatches);
    assert!(read("on_mismatch = 'block'").families().mismatches);
    assert_eq!(read("on_mismatch = 'block'").orders().on_mismatch, OnMismatch::Block);
}

#[test]
fn the_command_line_wins() {
    let mut settings = read("mode = 'block'");
    settings.mode.overrule(None);
    assert_eq!(*settings.mode.value(), Mode::Block);
    settings.mode.overrule(Some(Mode::Audit));
    assert_eq!((*settings.mode.value(), &settings.mode.origin), (Mode::Audit, &Origin::CommandLine));
}

#[test]
fn an_unknown_key_is_told_with_the_nearest_one() {
    check_bad(b"mdoe = 'block'", &["1:1: there is no key \"mdoe\"; the nearest one is `mode`"]);
    check_bad(b"on-mismatch = 1", &["1:1: there is no key \"on-mismatch\"; the nearest one is `on_mismatch`"]);
    check_bad(b"listening = true", &["1:1: there is no key \"listening\"; the nearest one is `records.listening`"]);
    check_bad(
        b"[records]\nattempt = true\nmode = 'off'",
        &[
            "2:1: there is no key \"records.attempt\"; the nearest one is `records.attempts`",
            "3:1: there is no key \"records.mode\"; the nearest one is `mode`",
        ],
    );
    check_bad(b"[record]\nends = true", &["1:2: there is no key \"record\"; the nearest one is `records`"]);
    check_bad(b"\"mo\\u001bde\" = 1", &["1:1: there is no key \"mo\\u001Bde\"; the nearest one is `mode`"]);
}

#[test]
fn a_wrong_value_is_told_with_what_belongs_there() {
    check_bad(
        b"mode = 3\npolicy = 'a'\n[records]\n  dns = 'yes'",
        &[
            "1:8: `mode`: an integer where one of \"off\", \"audit\", \"block\", \"disabled\" belongs",
            "2:10: `policy`: a string where an array of paths belongs",
            "4:9: `records.dns`: a string where true or false belongs",
        ],
    );
    check_bad(b"on_mismatch = 'stop'", &["1:15: `on_mismatch`: \"stop\" is none of \"off\", \"audit\", \"block\""]);
    check_bad(b"policy = ['a', 1.5]", &["1:10: `policy`: a float where a path of that array belongs"]);
    check_bad(b"policy = ['']", &["1:10: `policy`: an empty path"]);
    check_bad(b"records = true", &["1:11: `records`: a boolean where a table belongs"]);
    check_bad(b"[[records]]", &["1:1: `records`: an array where a table belongs"]);
}

#[test]
fn what_is_no_toml_is_told_with_its_place() {
    check_bad("# ä\n'ä' = \"bl".as_bytes(), &["2:10: invalid basic string, expected `\"`"]);
    check_bad(b"mode = 'off'\nmode = 'off'", &["2:1: duplicate key"]);
    check_bad(b"mode = 'off'\n\n a\xff", &["3:3: not UTF-8 text"]);
}

#[test]
fn a_file_of_anything_is_refused_and_ends() {
    let deep = format!("a = {}", "[".repeat(100_000));
    assert_eq!(file::parse(deep.as_bytes(), Path::new("c")).unwrap_err().len(), 1);
    let many: String = (0..10_000).map(|n| format!("k{n} = {n}\n")).collect();
    assert_eq!(file::parse(many.as_bytes(), Path::new("c")).unwrap_err().len(), 20);
    let long = format!("{} = 1", "k".repeat(1 << 19));
    assert_eq!(file::parse(long.as_bytes(), Path::new("c")).unwrap_err().len(), 1);
}

#[test]
fn what_is_shown_is_a_file_that_says_the_same() {
    let mut settings = read("mode = 'audit'\npolicy = ['/a \"b\"\\']\n[records]\nends = false");
    settings.records.format.overrule(Some(Form::Json));
    let shown = settings.shown();
    assert!(shown.contains("/etc/p/c.toml:1\n") && shown.contains("# default\n"), "{shown}");
    assert!(shown.contains("# command line\n"), "{shown}");
    assert_eq!(read(&shown).shown().lines().count(), shown.lines().count());
    assert_eq!((read(&shown).orders(), read(&shown).families()), (settings.orders(), settings.families()));
    assert_eq!(read(&shown).policy.value(), settings.policy.value());
}

/// The reference has each key on a line of its own, as a comment with its default.
#[test]
fn the_reference_has_every_key_with_its_default() {
    let reference = include_str!("../../../docs/config.md");
    let (_, block) = reference.split_once("```toml\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let is_setting = |line: &&str| line.starts_with('[') || line.contains(" = ");
    let lines = block.lines().map(|line| line.trim_start_matches("# ")).filter(is_setting);
    let written: Vec<&str> = lines.map(|line| line.split("  #").next().unwrap_or_default().trim_end()).collect();
    let shown = Settings::default().shown();
    let shown: Vec<&str> =
        shown.lines().filter(is_setting).map(|line| line.split("  #").next().unwrap_or_default().trim_end()).collect();
    assert_eq!(written, shown);
}
