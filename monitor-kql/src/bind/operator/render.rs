//! `render`: how to draw the result.

use super::super::{
    binder::{Bind, Binder},
    row::Row,
};
use crate::{
    bound::{Plan, Render, RenderValue},
    syntax::{Name, Parameter, ParameterValue},
};

/// Properties that name columns of the result.
const COLUMNS: [&str; 4] = ["xcolumn", "ycolumns", "anomalycolumns", "series"];

impl<'q> Binder<'_, 'q> {
    pub(super) fn render_as(&mut self, input: Plan, chart: &'q Name, properties: &'q [Parameter]) -> Bind<Plan> {
        let row = Row::of(&input);
        let mut bound = Vec::with_capacity(properties.len());
        for property in properties {
            let value = match &property.value {
                ParameterValue::Literal(literal) => RenderValue::Literal(literal.clone()),
                ParameterValue::Words(words) => {
                    let is_columns = COLUMNS.contains(&property.name.text.as_str());
                    let unknown = words.iter().find(|word| row.find(&word.text).is_none());
                    if let Some(unknown) = unknown
                        && is_columns
                        && !row.is_open
                    {
                        return Err(self.unknown_column(unknown, Some(&row)));
                    }
                    RenderValue::Words(words.iter().map(|word| word.text.clone()).collect())
                }
            };
            bound.push((property.name.text.clone(), value));
        }
        self.render = Some(Render { chart: chart.text.clone(), properties: bound });
        Ok(input)
    }
}
