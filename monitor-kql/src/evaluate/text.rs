//! String operators: whole terms, parts, beginnings and ends, in any case or in the very case.

use std::borrow::Cow;

use crate::syntax::StringOperator;

/// An operator on two strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TextOperator {
    kind: Kind,
    is_exact: bool,
    is_negated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Equal,
    Contains,
    StartsWith,
    EndsWith,
    Has,
    HasPrefix,
    HasSuffix,
    Like,
}

impl TextOperator {
    pub(super) const HAS: Self = Self { kind: Kind::Has, is_exact: false, is_negated: false };
    pub(super) const EQUAL_IN_ANY_CASE: Self = Self { kind: Kind::Equal, is_exact: false, is_negated: false };

    /// The operator of the language; `None` for those that take a list or a regular expression.
    pub(super) fn new(operator: StringOperator) -> Option<Self> {
        use StringOperator as S;
        let (kind, is_exact, is_negated) = match operator {
            S::EqualTilde => (Kind::Equal, false, false),
            S::NotEqualTilde => (Kind::Equal, false, true),
            S::Has | S::Search => (Kind::Has, false, false),
            S::NotHas => (Kind::Has, false, true),
            S::HasCs => (Kind::Has, true, false),
            S::NotHasCs => (Kind::Has, true, true),
            S::HasPrefix => (Kind::HasPrefix, false, false),
            S::NotHasPrefix => (Kind::HasPrefix, false, true),
            S::HasPrefixCs => (Kind::HasPrefix, true, false),
            S::NotHasPrefixCs => (Kind::HasPrefix, true, true),
            S::HasSuffix => (Kind::HasSuffix, false, false),
            S::NotHasSuffix => (Kind::HasSuffix, false, true),
            S::HasSuffixCs => (Kind::HasSuffix, true, false),
            S::NotHasSuffixCs => (Kind::HasSuffix, true, true),
            S::Contains => (Kind::Contains, false, false),
            S::NotContains => (Kind::Contains, false, true),
            S::ContainsCs => (Kind::Contains, true, false),
            S::NotContainsCs => (Kind::Contains, true, true),
            S::StartsWith => (Kind::StartsWith, false, false),
            S::NotStartsWith => (Kind::StartsWith, false, true),
            S::StartsWithCs => (Kind::StartsWith, true, false),
            S::NotStartsWithCs => (Kind::StartsWith, true, true),
            S::EndsWith => (Kind::EndsWith, false, false),
            S::NotEndsWith => (Kind::EndsWith, false, true),
            S::EndsWithCs => (Kind::EndsWith, true, false),
            S::NotEndsWithCs => (Kind::EndsWith, true, true),
            S::Like => (Kind::Like, false, false),
            S::NotLike => (Kind::Like, false, true),
            S::LikeCs => (Kind::Like, true, false),
            S::NotLikeCs => (Kind::Like, true, true),
            S::MatchesRegex | S::In | S::InTilde | S::NotIn | S::NotInTilde | S::HasAny | S::HasAll => return None,
        };
        Some(Self { kind, is_exact, is_negated })
    }
}

/// Whether `value` meets the operator with `part`.
pub(super) fn apply(operator: TextOperator, value: &str, part: &str) -> bool {
    let TextOperator { kind, is_exact, is_negated } = operator;
    let (value, part) =
        if is_exact { (Cow::Borrowed(value), Cow::Borrowed(part)) } else { (folded(value), folded(part)) };
    let meets = match kind {
        Kind::Equal => value == part,
        Kind::Contains => value.contains(&*part),
        Kind::StartsWith => value.starts_with(&*part),
        Kind::EndsWith => value.ends_with(&*part),
        Kind::Has => has(&value, &part, true, true),
        Kind::HasPrefix => has(&value, &part, true, false),
        Kind::HasSuffix => has(&value, &part, false, true),
        Kind::Like => like(&value, &part),
    };
    meets != is_negated
}

fn folded(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.to_lowercase())
}

/// Whether `part` is in `value` as whole terms, which are runs of letters and digits.
fn has(value: &str, part: &str, begins: bool, ends: bool) -> bool {
    if part.is_empty() {
        return true;
    }
    let is_term = |char: Option<char>| char.is_some_and(char::is_alphanumeric);
    let (first, last) = (part.chars().next(), part.chars().next_back());
    value.match_indices(part).any(|(at, _)| {
        let before = value.get(..at).and_then(|text| text.chars().next_back());
        let after = value.get(at + part.len()..).and_then(|text| text.chars().next());
        let is_beginning = !begins || !is_term(first) || !is_term(before);
        let is_end = !ends || !is_term(last) || !is_term(after);
        is_beginning && is_end
    })
}

/// `%` is any text and `_` any one character, as in SQL. Time is the product of the lengths at most.
fn like(value: &str, pattern: &str) -> bool {
    let (value, pattern): (Vec<char>, Vec<char>) = (value.chars().collect(), pattern.chars().collect());
    let (mut at, mut place) = (0, 0);
    // Where the last `%` was, and up to where it has been taken.
    let mut star: Option<(usize, usize)> = None;
    while let Some(char) = value.get(at) {
        match pattern.get(place) {
            Some('%') => {
                star = Some((place, at));
                place += 1;
            }
            Some(wanted) if wanted == char || *wanted == '_' => {
                at += 1;
                place += 1;
            }
            _ => match star {
                Some((before, taken)) => {
                    star = Some((before, taken + 1));
                    (at, place) = (taken + 1, before + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(place..).unwrap_or_default().iter().all(|char| *char == '%')
}
