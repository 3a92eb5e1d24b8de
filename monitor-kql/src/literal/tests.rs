//! Tests of literals.

use super::{datetime, datetime_text, guid, guid_text, integer, real_text, timespan, timespan_text, typed};
use crate::{types::Type, value::Value};

#[test]
fn every_form_of_a_point_in_time_is_the_same_point() {
    let point = datetime("2014-11-08T15:05:02Z").unwrap();
    for form in [
        "2014-11-08 15:05:02",
        "2014-11-08 15:05:02.0000000Z",
        "2014-11-08T17:05:02+02:00",
        "20141108 15:05:02",
        "11/8/2014 3:05:02 PM",
        "Sat, 8 Nov 14 15:05:02 GMT",
        "Saturday, 08-Nov-14 15:05:02 GMT",
        "8 Nov 2014 15:05:02",
    ] {
        assert_eq!(datetime(form), Some(point), "{form}");
    }
    assert_eq!(datetime_text(point), "2014-11-08T15:05:02.0000000Z");
    assert_eq!(datetime("2020-01-01"), Some(637_134_336_000_000_000));
    assert_eq!(datetime("0001-01-01"), Some(0));
}

#[test]
fn what_is_no_point_in_time_is_none() {
    for text in
        ["", "now", "2014-13-01", "2014-02-30", "2014-11-08 25:00", "10000-01-01", "2014-11-08 10:00:00:00", "1-2-3-4"]
    {
        assert_eq!(datetime(text), None, "{text}");
    }
}

#[test]
fn lengths_of_time_are_read_and_written() {
    for (text, written) in [
        ("1d", "1.00:00:00"),
        ("1.5h", "01:30:00"),
        ("2", "2.00:00:00"),
        ("90 minutes", "01:30:00"),
        ("1.02:03:04.5", "1.02:03:04.5000000"),
        ("-10:30", "-10:30:00"),
        ("100ms", "00:00:00.1000000"),
        ("5tick", "00:00:00.0000005"),
    ] {
        assert_eq!(timespan_text(timespan(text).unwrap()), written, "{text}");
    }
    assert_eq!(timespan("1x"), None);
    assert_eq!(timespan("99999999999999d"), None);
}

#[test]
fn numbers_have_their_limits() {
    assert_eq!(integer("0xff"), Some(255));
    assert_eq!(integer("-5"), Some(-5));
    assert_eq!(integer("9223372036854775808"), None);
    assert_eq!(typed(Type::Int, "2147483648"), None);
    assert_eq!(typed(Type::Int, "null"), Some(Value::Null));
    assert_eq!([1.0, 0.1, 1e20, 1e-7, 123_456.75].map(real_text), ["1.0", "0.1", "1e+20", "1e-07", "123456.75"]);
}

#[test]
fn a_guid_is_read_in_its_forms() {
    let id = guid("74be27de-1e4e-49d9-b579-fe0b331d3642").unwrap();
    assert_eq!(guid("74be27de1e4e49d9b579fe0b331d3642"), Some(id));
    assert_eq!(guid("{74be27de-1e4e-49d9-b579-fe0b331d3642}"), Some(id));
    assert_eq!(guid_text(id), "74be27de-1e4e-49d9-b579-fe0b331d3642");
    assert_eq!(guid("74be27de-1e4e-49d9-b579"), None);
}
