//! Strings: `"…"` and `'…'` with escapes, `@"…"` without, ```` ```…``` ```` over several lines, each with `h` before it
//! for text that is not to be shown in logs (Kusto: "The string data type").

use super::LexError;

/// What surrounds a string's text.
struct Quotes {
    /// Bytes before the text.
    open: usize,
    close: &'static str,
    kind: Kind,
}

#[derive(PartialEq, Eq)]
enum Kind {
    Escaped,
    Verbatim,
    Lines,
}

fn quotes(text: &str) -> Option<Quotes> {
    let hidden = usize::from(text.starts_with(['h', 'H']));
    let text = text.get(hidden..)?;
    for lines in ["```", "~~~"] {
        if text.starts_with(lines) {
            return Some(Quotes { open: hidden + 3, close: lines, kind: Kind::Lines });
        }
    }
    let (at, kind) = if text.starts_with('@') { (1, Kind::Verbatim) } else { (0, Kind::Escaped) };
    let close = match text.as_bytes().get(at)? {
        b'"' => "\"",
        b'\'' => "'",
        _ => return None,
    };
    Some(Quotes { open: hidden + at + 1, close, kind })
}

/// The length of the string that `text` begins with, quotes included; `Some(None)` when it does not end.
pub(super) fn length(text: &str) -> Option<Option<usize>> {
    let Quotes { open, close, kind } = quotes(text)?;
    let inside = text.get(open..).unwrap_or_default();
    Some(inside_length(inside, close, &kind).map(|length| open + length + close.len()))
}

fn inside_length(inside: &str, close: &str, kind: &Kind) -> Option<usize> {
    if *kind == Kind::Lines {
        return inside.find(close);
    }
    let quote = close.as_bytes().first()?;
    let bytes = inside.as_bytes();
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            byte if byte == quote => {
                if *kind == Kind::Escaped || bytes.get(at + 1) != Some(quote) {
                    return Some(at);
                }
                at += 2;
            }
            b'\n' | b'\r' => return None,
            b'\\' if *kind == Kind::Escaped => at += 2,
            _ => at += 1,
        }
    }
}

/// The text that the string token `token` stands for, or the first bad escape.
pub(crate) fn decode(token: &str) -> Result<String, LexError> {
    let Some(Quotes { open, close, kind }) = quotes(token) else {
        return Ok(token.to_owned());
    };
    let inside = token.get(open..token.len().saturating_sub(close.len())).unwrap_or_default();
    match kind {
        Kind::Lines => Ok(inside.to_owned()),
        Kind::Verbatim => Ok(inside.replace(&close.repeat(2), close)),
        Kind::Escaped => unescape(inside),
    }
}

fn unescape(inside: &str) -> Result<String, LexError> {
    let mut text = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = rest.find('\\') {
        text.push_str(rest.get(..at).unwrap_or_default());
        let escape = rest.get(at + 1..).unwrap_or_default();
        let (char, length) = escaped(escape).ok_or_else(|| LexError::Escape(escape.chars().next().unwrap_or('\\')))?;
        text.push(char);
        rest = escape.get(length..).unwrap_or_default();
    }
    text.push_str(rest);
    Ok(text)
}

/// The character of an escape without its backslash, and its length.
fn escaped(escape: &str) -> Option<(char, usize)> {
    let first = escape.chars().next()?;
    Some(match first {
        '\\' | '"' | '\'' => (first, 1),
        'a' => ('\u{7}', 1),
        'b' => ('\u{8}', 1),
        'f' => ('\u{c}', 1),
        'n' => ('\n', 1),
        'r' => ('\r', 1),
        't' => ('\t', 1),
        'v' => ('\u{b}', 1),
        'x' => (hexadecimal(escape, 2)?, 3),
        'u' => (hexadecimal(escape, 4)?, 5),
        'U' => (hexadecimal(escape, 8)?, 9),
        '0'..='7' => return octal(escape),
        _ => return None,
    })
}

fn hexadecimal(escape: &str, digits: usize) -> Option<char> {
    let digits = escape.get(1..=digits)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    // A half of a surrogate pair is no character of its own.
    Some(char::from_u32(u32::from_str_radix(digits, 16).ok()?).unwrap_or(char::REPLACEMENT_CHARACTER))
}

/// Up to three digits, and at most `\377`.
fn octal(escape: &str) -> Option<(char, usize)> {
    let is_short = !escape.starts_with(['0', '1', '2', '3']);
    let most = if is_short { 2 } else { 3 };
    let length = escape.bytes().take(most).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
    let value = u32::from_str_radix(escape.get(..length)?, 8).ok()?;
    Some((char::from_u32(value)?, length))
}
