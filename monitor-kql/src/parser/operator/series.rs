//! `make-series`.

use super::super::cursor::{Parsed, Parser};
use crate::{
    lexer::Sign,
    syntax::{MakeSeries, OperatorKind, SeriesAggregate, SeriesRange},
};

impl Parser<'_> {
    pub(super) fn make_series(&mut self) -> Parsed<OperatorKind> {
        let aggregates = self.list(Self::series_aggregate)?;
        self.expect_word("on")?;
        let on = self.named()?;
        let range = self.series_range()?;
        let by = if self.take_word("by").is_some() { self.list(Self::named)? } else { Vec::new() };
        Ok(OperatorKind::MakeSeries(Box::new(MakeSeries { aggregates, on, range, by })))
    }

    fn series_aggregate(&mut self) -> Parsed<SeriesAggregate> {
        let value = self.named()?;
        let default = if self.take_word("default").is_some() {
            self.expect(Sign::Equal, "`=`")?;
            Some(self.value()?)
        } else {
            None
        };
        Ok(SeriesAggregate { value, default })
    }

    fn series_range(&mut self) -> Parsed<SeriesRange> {
        if self.take_word("in").is_some() {
            self.expect_word("range")?;
            self.expect(Sign::OpenParen, "`(`")?;
            let from = Some(self.value()?);
            self.expect(Sign::Comma, "`,` and the end")?;
            let to = Some(self.value()?);
            self.expect(Sign::Comma, "`,` and the step")?;
            let step = self.value()?;
            self.expect(Sign::CloseParen, "`)`")?;
            return Ok(SeriesRange { from, to, step, is_in_range: true });
        }
        let from = if self.take_word("from").is_some() { Some(self.value()?) } else { None };
        let to = if self.take_word("to").is_some() { Some(self.value()?) } else { None };
        self.expect_word("step")?;
        Ok(SeriesRange { from, to, step: self.value()?, is_in_range: false })
    }
}
