//! Tests of the lexer.

use super::{LexError, TokenKind, decode, tokens};
use crate::message::Reason;

fn check(text: &str, expected: &[&str]) {
    let tokens = tokens(text).unwrap();
    let found: Vec<&str> = tokens.iter().map(|token| token.span.of(text)).collect();
    assert_eq!(found[..found.len() - 1], *expected, "{text}");
}

fn kinds(text: &str) -> Vec<TokenKind> {
    tokens(text).unwrap().iter().map(|token| token.kind).collect()
}

fn refused(text: &str) -> LexError {
    match *tokens(text).unwrap_err().reason {
        Reason::Lex(reason) => reason,
        other => panic!("{other}"),
    }
}

#[test]
fn words_numbers_and_signs_are_cut_apart() {
    check("T|where a>=1.5e3//c\n and b!~'x'", &["T", "|", "where", "a", ">=", "1.5e3", "and", "b", "!~", "'x'"]);
    check("a.b[0]..3d", &["a", ".", "b", "[", "0", "]", "..", "3d"]);
    check("$left.a == $right.b", &["$left", ".", "a", "==", "$right", ".", "b"]);
}

#[test]
fn numbers_timespans_and_names_with_digits_are_told_apart() {
    use TokenKind::{End, Long, Real, Timespan, Word};
    assert_eq!(kinds("1 0x1F 1.5 1. 1e3 1.5h 10min 3x"), [Long, Long, Real, Real, Real, Timespan, Timespan, Word, End]);
    assert_eq!(kinds("1..2").len(), 4);
}

#[test]
fn a_typed_literal_is_one_token_with_its_text() {
    check("datetime(2024-01-01 10:00) int(null)", &["datetime(2024-01-01 10:00)", "int(null)"]);
    check("dynamic([1])", &["dynamic", "(", "[", "1", "]", ")"]);
    assert!(matches!(refused("datetime(2024"), LexError::OpenLiteral(_)));
}

#[test]
fn strings_of_every_kind_are_read() {
    assert_eq!(decode(r#""a\tb\"\x41\u00e9\101""#).unwrap(), "a\tb\"A\u{e9}A");
    assert_eq!(decode(r#"@"c:\a""b""#).unwrap(), r#"c:\a"b"#);
    assert_eq!(decode("h'x'").unwrap(), "x");
    assert_eq!(decode("h@'x'''").unwrap(), "x'");
    assert_eq!(decode("```a\n\"b```").unwrap(), "a\n\"b");
    assert_eq!(decode(r#""\q""#), Err(LexError::Escape('q')));
    check("```a\n|b``` h\"x\" hx", &["```a\n|b```", "h\"x\"", "hx"]);
}

#[test]
fn an_open_string_and_a_foreign_sign_are_refused() {
    assert_eq!(refused("\"abc\n\""), LexError::OpenString);
    assert_eq!(refused("a # b"), LexError::Character('#'));
}
