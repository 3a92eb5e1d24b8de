//! The words for numbers of DNS, as Zeek writes them in `qtype_name` and `rcode_name`.

use std::borrow::Cow;

use domain::base::iana::{Rcode, Rtype};

/// The word for a type of record: IANA's mnemonic, with Zeek's spelling where the two differ, or `query-N`.
pub(super) fn rtype(rtype: Rtype) -> Cow<'static, str> {
    let word = match rtype.to_int() {
        23 => "NSAP-PTR",
        255 => "*",
        65281 => "WINS",
        65282 => "WINS-R",
        number => match rtype.to_mnemonic_str() {
            Some(mnemonic) => mnemonic,
            None => return Cow::Owned(format!("query-{number}")),
        },
    };
    Cow::Borrowed(word)
}

/// The word for the four bits of a header's response code (RFC 1035 section 4.1.1, RFC 6895 section 2.3).
pub(super) fn rcode(rcode: Rcode) -> Cow<'static, str> {
    match rcode {
        Rcode::NXRRSET => Cow::Borrowed("NXRRSet"),
        rcode => {
            rcode.to_mnemonic_str().map_or_else(|| Cow::Owned(format!("unassigned-{}", rcode.to_int())), Cow::Borrowed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_the_words_of_zeek() {
        let word = |number| rtype(Rtype::from_int(number));
        for (number, expect) in [(1, "A"), (5, "CNAME"), (12, "PTR"), (16, "TXT"), (28, "AAAA"), (33, "SRV")] {
            assert_eq!(word(number), expect);
        }
        for (number, expect) in [(23, "NSAP-PTR"), (64, "SVCB"), (65, "HTTPS"), (255, "*"), (4711, "query-4711")] {
            assert_eq!(word(number), expect);
        }
    }

    #[test]
    fn codes_have_the_words_of_zeek() {
        let word = |number| rcode(Rcode::masked_from_int(number));
        for (number, expect) in [(0, "NOERROR"), (2, "SERVFAIL"), (3, "NXDOMAIN"), (5, "REFUSED"), (8, "NXRRSet")] {
            assert_eq!(word(number), expect);
        }
        assert_eq!(word(11), "unassigned-11");
    }
}
