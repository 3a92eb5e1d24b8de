//! A domain list or hosts file: every rule is a name that reads back as itself, every error has its line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use monitor::{decide::parse_list, hostname::Hostname};

fuzz_target!(|input: &[u8]| {
    let lines = input.iter().filter(|byte| **byte == b'\n').count() + 1;
    let in_file = |line: u32| (1..=lines).contains(&(line as usize));
    let mut last = 0;
    let errors = parse_list(input, |rule| {
        assert!(in_file(rule.line) && rule.line >= last, "line {} after {last} of {lines}", rule.line);
        last = rule.line;
        assert_eq!(Hostname::parse(rule.name.as_str().as_bytes()).as_ref(), Ok(&rule.name));
    });
    assert!(errors.len() <= lines);
    for error in errors {
        assert!(in_file(error.line), "line {} of {lines}", error.line);
        // An error shows what is wrong, and not a whole hostile file.
        assert!(error.to_string().len() < 1000);
    }
});
