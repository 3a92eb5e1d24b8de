//! Text to tokens, after Kusto's own lexer. It never panics and reads each byte once.
//!
//! Keywords are words like names, since most of them may be names as well. Words with a dash (`mv-expand`) and signs with
//! a word (`!in~`) are put together by the parser, which knows where they may be.

mod number;
mod string;
mod token;

use crate::{message::Message, span::Span, types::Type};

pub(crate) use self::{
    number::UNITS,
    string::decode,
    token::{Sign, Token, TokenKind},
};

/// Why a text cannot be cut into tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LexError {
    /// A sign that the language has not.
    #[error("`{0}` is no sign of the language")]
    Character(char),
    /// A string begins and does not end on its line.
    #[error("this string has no end")]
    OpenString,
    /// `datetime(` and the like without its `)`.
    #[error("this `{0}(` has no `)`")]
    OpenLiteral(Type),
    /// `\q`
    #[error("`\\{0}` is no escape")]
    Escape(char),
    /// A number that is followed by letters that make no unit.
    #[error("`{0}` is neither a number nor a timespan nor a name")]
    Number(String),
}

impl LexError {
    pub(crate) fn help(&self) -> Option<String> {
        Some(match self {
            Self::Character('“' | '”' | '‘' | '’') => "use straight quotes: \" or '".to_owned(),
            Self::Character('&') => "write `and`".to_owned(),
            Self::Character('#') => "comments begin with `//`".to_owned(),
            Self::Character(_) => return None,
            Self::OpenString => {
                "close it with the quote that it began with, or use ``` for text of several lines".to_owned()
            }
            Self::OpenLiteral(_) => "close it on the same line".to_owned(),
            Self::Escape(_) => "write `\\\\` for a backslash, or @\"…\" for text without escapes".to_owned(),
            Self::Number(_) => "timespans end in d, h, m, s, ms, microsecond or tick".to_owned(),
        })
    }
}

/// All tokens of `text`; the last one is `End`.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, Message> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    let mut end = 0;
    loop {
        lexer.skip_blanks();
        let start = lexer.at;
        let kind = lexer.next()?;
        tokens.push(Token { kind, span: Span::new(start, lexer.at), is_joined: start == end });
        end = lexer.at;
        if kind == TokenKind::End {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn first(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|char| !is_part(char)).unwrap_or(rest.len());
    }

    fn fail(&self, start: usize, reason: LexError) -> Message {
        Message::new(Span::new(start, self.at), reason)
    }

    fn skip_blanks(&mut self) {
        loop {
            // A byte order mark is a blank: queries come out of files.
            self.take_while(|char| char.is_whitespace() || char == '\u{feff}');
            if !self.rest().starts_with("//") {
                return;
            }
            self.take_while(|char| char != '\n' && char != '\r');
        }
    }

    fn next(&mut self) -> Result<TokenKind, Message> {
        let Some(first) = self.first() else {
            return Ok(TokenKind::End);
        };
        if first.is_ascii_digit() {
            return self.number();
        }
        if let Some(length) = string::length(self.rest()) {
            let start = self.at;
            let Some(length) = length else {
                self.take_while(|char| char != '\n' && char != '\r');
                return Err(self.fail(start, LexError::OpenString));
            };
            self.at += length;
            return Ok(TokenKind::String);
        }
        if is_word_start(first) {
            return self.word();
        }
        self.sign(first)
    }

    fn word(&mut self) -> Result<TokenKind, Message> {
        let start = self.at;
        self.at += self.first().map_or(0, char::len_utf8);
        self.take_while(is_word_part);
        let word = self.text.get(start..self.at).unwrap_or_default();
        let Some(ty) = Type::parse(word) else {
            return Ok(TokenKind::Word);
        };
        // `string(x)` is a call, and what `dynamic(…)` has between its parentheses is cut into tokens as well.
        if !self.rest().starts_with('(') || matches!(ty, Type::String | Type::Dynamic) {
            return Ok(TokenKind::Word);
        }
        self.take_while(|char| !matches!(char, ')' | '\n' | '\r'));
        if !self.rest().starts_with(')') {
            return Err(self.fail(start, LexError::OpenLiteral(ty)));
        }
        self.at += 1;
        Ok(TokenKind::Typed(ty))
    }

    fn number(&mut self) -> Result<TokenKind, Message> {
        let start = self.at;
        if let Some((kind, length)) = number::scan(self.rest()) {
            self.at += length;
            return Ok(kind);
        }
        // A name may begin with digits.
        self.take_while(is_word_part);
        let word = self.text.get(start..self.at).unwrap_or_default();
        if word.contains(|char: char| !char.is_ascii_digit()) {
            return Ok(TokenKind::Word);
        }
        Err(self.fail(start, LexError::Number(word.to_owned())))
    }

    fn sign(&mut self, first: char) -> Result<TokenKind, Message> {
        const PAIRS: [(&str, Sign); 9] = [
            ("..", Sign::DotDot),
            ("==", Sign::EqualEqual),
            ("=~", Sign::EqualTilde),
            ("=>", Sign::Arrow),
            ("!=", Sign::NotEqual),
            ("!~", Sign::NotTilde),
            ("<=", Sign::LessEqual),
            ("<>", Sign::LessGreater),
            (">=", Sign::GreaterEqual),
        ];
        let start = self.at;
        let pair = PAIRS.iter().find(|(text, _)| self.rest().starts_with(text));
        if let Some((text, sign)) = pair {
            self.at += text.len();
            return Ok(TokenKind::Sign(*sign));
        }
        self.at += first.len_utf8();
        Ok(TokenKind::Sign(match first {
            '(' => Sign::OpenParen,
            ')' => Sign::CloseParen,
            '[' => Sign::OpenBracket,
            ']' => Sign::CloseBracket,
            '{' => Sign::OpenBrace,
            '}' => Sign::CloseBrace,
            '|' => Sign::Pipe,
            ',' => Sign::Comma,
            ';' => Sign::Semicolon,
            ':' => Sign::Colon,
            '.' => Sign::Dot,
            '+' => Sign::Plus,
            '-' => Sign::Minus,
            '*' => Sign::Star,
            '/' => Sign::Slash,
            '%' => Sign::Percent,
            '=' => Sign::Equal,
            '<' => Sign::Less,
            '>' => Sign::Greater,
            '!' => Sign::Bang,
            '~' => Sign::Tilde,
            '@' => Sign::At,
            '?' => Sign::Question,
            _ => return Err(self.fail(start, LexError::Character(first))),
        }))
    }
}

fn is_word_start(char: char) -> bool {
    char.is_alphabetic() || char == '_' || char == '$'
}

fn is_word_part(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

#[cfg(test)]
mod tests;
