//! The known name that is most like an unknown one.

/// At least this alike, of 1: below it a suggestion is a guess.
const ALIKE_MIN: f64 = 0.75;

/// Names that are longer are nobody's slip of the pen, and comparing takes the product of the lengths.
const NAME_CHARS_MAX: usize = 64;

/// The name of `known` that was probably meant by `name`, when one is near enough.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    if name.len() > NAME_CHARS_MAX {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for candidate in known {
        if candidate.len() > NAME_CHARS_MAX {
            continue;
        }
        let alike = if candidate.eq_ignore_ascii_case(name) {
            1.0
        } else {
            // Of two names that are equally near, the one with the same beginning is what people mean.
            strsim::jaro_winkler(&lower, &candidate.to_ascii_lowercase()) * 0.5
                + strsim::normalized_damerau_levenshtein(&lower, &candidate.to_ascii_lowercase()) * 0.5
        };
        if alike >= ALIKE_MIN && best.is_none_or(|(before, _)| alike > before) {
            best = Some((alike, candidate));
        }
    }
    best.map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_pen_is_recognised_and_a_stranger_is_not() {
        let known = ["RemoteIP", "RemotePort", "RemoteUrl", "ActionType"];
        assert_eq!(nearest("RemotIP", known).as_deref(), Some("RemoteIP"));
        assert_eq!(nearest("remoteurl", known).as_deref(), Some("RemoteUrl"));
        assert_eq!(nearest("ActionTyp", known).as_deref(), Some("ActionType"));
        assert_eq!(nearest("Verdict", known), None);
        assert_eq!(nearest(&"RemoteIP".repeat(1000), known), None);
    }
}
