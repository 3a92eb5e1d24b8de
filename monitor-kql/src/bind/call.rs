//! Calls of functions: which one is meant, and whether the arguments fit.

use super::{
    BindError,
    binder::{Aggregates, Bind, Binder},
    convert::{common, convert},
    name::Term,
    row::Symbol,
};
use crate::{
    bound::{Expr, ExprKind},
    function::{Class, PLUGINS, Parameter, Place, Returns, Signature, aggregates, is_window, refusal, scalars},
    message::Message,
    schema::Form,
    span::Span,
    suggest,
    syntax::{self, Argument, ExprKind as Syntax, Name},
    types::Type,
    value::Value,
};

/// Signatures that a message shows.
const SHOWN_MAX: usize = 4;

impl<'q> Binder<'_, 'q> {
    pub(super) fn call(&mut self, call: &'q syntax::Expr, name: &'q Name, arguments: &'q [Argument]) -> Bind<Term> {
        let text = name.text.as_str();
        if let Some(Symbol::Function { .. }) = self.symbol(text) {
            return self.user_call(name, arguments);
        }
        // Within an aggregate, a name that both kinds of functions have is the one that may be there.
        let is_within = matches!(self.aggregates, Aggregates::Within { .. });
        let is_scalar = is_within && scalars().contains_key(text);
        if self.is_aggregating() && !is_scalar && aggregates().contains_key(text) {
            let value = self.aggregate(call, name, arguments)?;
            return Ok(Term::Value(value));
        }
        match text {
            "table" => return self.table_by_text(call.span, arguments),
            "column_ifexists" | "columnifexists" => return self.column_if_exists(name, arguments),
            _ => {}
        }
        if let Some(signatures) = scalars().get(text) {
            return Ok(Term::Value(self.scalar_call(name, arguments, signatures)?));
        }
        if let Some((place, _)) = self.schema.find(text, Form::Function) {
            for argument in arguments {
                self.without_row(|binder| binder.constant(&argument.value))?;
            }
            return Ok(Term::Table(Box::new(self.table_plan(call.span, place)?)));
        }
        Err(self.unknown_function(name))
    }

    fn unknown_function(&self, name: &Name) -> Message {
        let text = name.text.clone();
        if aggregates().contains_key(text.as_str()) {
            return self.fail(name.span, BindError::AggregateHere(text));
        }
        let instead = if PLUGINS.iter().any(|plugin| plugin.name == text) {
            Some(format!("it is a plugin: evaluate {text}(…)"))
        } else {
            refusal(&text).map(str::to_owned)
        };
        if let Some(instead) = instead {
            return self.fail(name.span, BindError::Refused { name: text, instead });
        }
        let mut known: Vec<&str> = scalars().keys().chain(aggregates().keys()).copied().collect();
        // The order of a map is another one in each run, and of two names that are equally near one must always win.
        known.sort_unstable();
        let declared = self.table_names();
        known.extend(declared.iter().map(|name| name.trim_end_matches("()")));
        let nearest = suggest::nearest(&text, known).map(|nearest| format!("{nearest}()"));
        self.fail(name.span, BindError::UnknownFunction { name: text, nearest })
    }

    /// `table("T")`
    fn table_by_text(&mut self, span: Span, arguments: &'q [Argument]) -> Bind<Term> {
        let Some(first) = arguments.first() else {
            return Err(self.fail(span, BindError::LiteralWanted));
        };
        let value = self.value(&first.value)?;
        let Some(text) = value.as_text().map(str::to_owned) else {
            return Err(self.fail(first.value.span, BindError::LiteralWanted));
        };
        match self.schema.find(&text, Form::Table) {
            Some((place, _)) => Ok(Term::Table(Box::new(self.table_plan(span, place)?))),
            None => Err(self.unknown_table(&Name { text, span: first.value.span })),
        }
    }

    pub(super) fn unknown_table(&self, name: &Name) -> Message {
        let tables = self.table_names();
        let nearest = suggest::nearest(&name.text, tables.iter().map(String::as_str));
        self.fail(name.span, BindError::UnknownTable { name: name.text.clone(), nearest })
    }

    /// `column_ifexists("a", default)`: the one or the other, as the table has it.
    fn column_if_exists(&mut self, name: &'q Name, arguments: &'q [Argument]) -> Bind<Term> {
        let [column, default] = arguments else {
            return Err(self.arguments(name, &[], scalars().get("column_ifexists").map(Vec::as_slice)));
        };
        let wanted = self.value(&column.value)?;
        let Some(text) = wanted.as_text() else {
            return Err(self.fail(column.value.span, BindError::LiteralWanted));
        };
        let default = self.value(&default.value)?;
        match self.find_column(text) {
            Some(found) => {
                let value = self.column_value(column.value.span, &found)?;
                Ok(Term::Value(convert(value, default.ty)))
            }
            None => Ok(Term::Value(default)),
        }
    }

    fn scalar_call(
        &mut self,
        name: &'q Name,
        arguments: &'q [Argument],
        signatures: &'static [Signature],
    ) -> Bind<Expr> {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            if let Some(named) = &argument.name {
                let (function, name) = (name.text.clone(), named.text.clone());
                return Err(self.fail(named.span, BindError::UnknownParameter { function, name }));
            }
            if matches!(argument.value.kind, Syntax::Star) {
                let columns = self.row.as_ref().map(|row| row.columns.clone()).unwrap_or_default();
                for column in columns {
                    values.push(self.column_value(argument.value.span, &column)?);
                }
                continue;
            }
            values.push(self.value(&argument.value)?);
        }
        let spans: Vec<Span> = arguments.iter().map(|argument| argument.value.span).collect();
        let signature = self.choose(name, &values, &spans, signatures)?;
        if is_window(signature.name) && !self.row.as_ref().is_some_and(|row| row.is_ordered) {
            self.notice(name.span, format!("`{}` needs rows in an order, and these have none", name.text));
        }
        if let Some(place) = regex_place(signature.name)
            && let (Some(pattern), Some(span)) = (values.get(place).and_then(Expr::as_text), spans.get(place))
        {
            self.check_regex(*span, pattern)?;
        }
        if signature.result == Returns::Tuple {
            return Err(self.fail(name.span, BindError::SeveralColumns(name.text.clone())));
        }
        self.finish_call(name, signature, values, arguments)
    }

    /// The signature whose parameters fit best.
    pub(super) fn choose(
        &self,
        name: &Name,
        values: &[Expr],
        spans: &[Span],
        signatures: &'static [Signature],
    ) -> Bind<&'static Signature> {
        let mut best: Option<(u32, &Signature)> = None;
        let mut misfit: Option<Message> = None;
        for signature in signatures {
            // `pack_array(*)` has been written out.
            let layout = signature.layout(values.len());
            let Some(layout) = layout else {
                continue;
            };
            let mut cost = 0;
            let mut fits = true;
            for (at, (parameter, value)) in layout.iter().zip(values).enumerate() {
                match parameter_cost(parameter, value) {
                    Some(more) => cost += more,
                    None => {
                        fits = false;
                        let span = spans.get(at).copied().unwrap_or(name.span);
                        misfit.get_or_insert_with(|| self.misfit(name, parameter, value, span));
                    }
                }
            }
            if fits && best.is_none_or(|(before, _)| cost < before) {
                best = Some((cost, signature));
            }
        }
        if let Some((_, signature)) = best {
            return Ok(signature);
        }
        // One signature of that length: its first argument that does not fit says more than all signatures.
        let lengths = signatures.iter().filter(|signature| signature.layout(values.len()).is_some()).count();
        match misfit {
            Some(message) if lengths == 1 => Err(message),
            _ => Err(self.arguments(name, values, Some(signatures))),
        }
    }

    fn misfit(&self, name: &Name, parameter: &Parameter, value: &Expr, span: Span) -> Message {
        if parameter.class.fits(value.ty).is_some() {
            let reason = match (value.as_text(), parameter.values.as_slice()) {
                (Some(text), known) if !known.is_empty() => BindError::WordWanted {
                    parameter: parameter.name.to_owned(),
                    value: text.to_owned(),
                    known: known.join(", "),
                },
                _ => match parameter.place {
                    Place::Column => BindError::ColumnWanted,
                    Place::Constant => BindError::ConstantWanted,
                    Place::Literal | Place::Anything => BindError::LiteralWanted,
                },
            };
            return self.fail(span, reason);
        }
        self.fail(
            span,
            BindError::Argument {
                function: name.text.clone(),
                parameter: parameter.name.to_owned(),
                expected: parameter.class.describe(),
                found: value.ty.to_string(),
            },
        )
    }

    fn arguments(&self, name: &Name, values: &[Expr], signatures: Option<&'static [Signature]>) -> Message {
        let types: Vec<&str> = values.iter().map(|value| value.ty.name()).collect();
        let found = if types.is_empty() { "no argument".to_owned() } else { format!("({})", types.join(", ")) };
        let lines = signatures.into_iter().flatten().map(|signature| signature.line).take(SHOWN_MAX);
        let signatures = lines.collect::<Vec<_>>().join(" or ");
        self.fail(name.span, BindError::Arguments { function: name.text.clone(), found, signatures })
    }

    /// The call with its conversions and its type.
    pub(super) fn finish_call(
        &mut self,
        name: &Name,
        signature: &'static Signature,
        values: Vec<Expr>,
        arguments: &[Argument],
    ) -> Bind<Expr> {
        let ty = self.result_type(name, signature, &values, arguments)?;
        let values = self.converted(signature, values, ty);
        Ok(Expr::new(ExprKind::Call { function: signature.name, arguments: values }, ty))
    }

    pub(super) fn result_type(
        &self,
        name: &Name,
        signature: &'static Signature,
        values: &[Expr],
        arguments: &[Argument],
    ) -> Bind<Type> {
        let first = values.first().map_or(Type::Dynamic, |value| value.ty);
        Ok(match signature.result {
            Returns::Type(ty) => ty,
            Returns::First => first,
            Returns::Second => values.get(1).map_or(Type::Dynamic, |value| value.ty),
            Returns::Promoted => promoted(first),
            Returns::Widest => {
                let numbers = values.iter().map(|value| value.ty).filter(|ty| ty.is_number());
                promoted(numbers.reduce(Type::widest).unwrap_or(first))
            }
            Returns::Named => match arguments.last().map(|argument| &argument.value.kind) {
                Some(Syntax::TypeOf(schema)) => schema.columns.first().map_or(Type::String, |(_, ty)| *ty),
                _ => Type::String,
            },
            Returns::Common => {
                let common = common_of(signature, values);
                common.ok_or_else(|| self.fail(name.span, BindError::NoCommonType(name.text.clone())))?
            }
            Returns::Tuple => Type::Dynamic,
        })
    }

    fn converted(&self, signature: &'static Signature, values: Vec<Expr>, result: Type) -> Vec<Expr> {
        let Some(layout) = signature.layout(values.len()) else {
            return values;
        };
        let types: Vec<Option<Type>> = layout
            .iter()
            .zip(&values)
            .map(|(parameter, value)| match &parameter.class {
                Class::Types(types) if types.contains(&value.ty) => None,
                Class::Types(types) => types.iter().copied().find(|ty| value.ty.widens_to(*ty)),
                Class::Common | Class::CommonOrderable => Some(result),
                Class::Number if matches!(signature.result, Returns::Widest) => Some(result),
                _ => None,
            })
            .collect();
        let convert_one = |(value, ty): (Expr, Option<Type>)| match ty {
            Some(ty) => convert(value, ty),
            None => value,
        };
        values.into_iter().zip(types).map(convert_one).collect()
    }

    /// Whether aggregate functions are collected here.
    pub(super) fn is_aggregating(&self) -> bool {
        !matches!(self.aggregates, Aggregates::Refused)
    }
}

fn parameter_cost(parameter: &Parameter, value: &Expr) -> Option<u32> {
    if parameter.class == Class::TypeName {
        // `typeof(long)` is the text of the type.
        return value.as_text().and_then(Type::parse).map(|_| 0);
    }
    let cost = parameter.class.fits(value.ty)?;
    let fits = match parameter.place {
        Place::Anything => true,
        Place::Constant => value.is_constant(),
        Place::Literal => matches!(value.kind, ExprKind::Literal(_)),
        Place::Column => matches!(value.kind, ExprKind::Column(_) | ExprKind::Absent(_)),
    };
    let is_word = match value.as_literal() {
        Some(Value::String(text)) if !parameter.values.is_empty() => {
            parameter.values.iter().any(|known| known.eq_ignore_ascii_case(text))
        }
        _ => true,
    };
    (fits && is_word).then_some(cost)
}

/// Which argument of a function is a regular expression.
fn regex_place(function: &str) -> Option<usize> {
    match function {
        "extract" | "extract_all" | "extractall" | "replace" | "trim" | "trim_start" | "trim_end" => Some(0),
        "replace_regex" | "indexof_regex" => Some(1),
        _ => None,
    }
}

pub(super) fn promoted(ty: Type) -> Type {
    if ty == Type::Int { Type::Long } else { ty }
}

/// The one type of the arguments that have to have one. Where branches are chosen between, dynamic holds what nothing else does.
fn common_of(signature: &'static Signature, values: &[Expr]) -> Option<Type> {
    let layout = signature.layout(values.len())?;
    let types: Vec<Type> = layout
        .iter()
        .zip(values)
        .filter(|(parameter, value)| {
            matches!(parameter.class, Class::Common | Class::CommonOrderable) && !is_null(value)
        })
        .map(|(_, value)| value.ty)
        .collect();
    let chooses = matches!(signature.name, "iff" | "iif" | "case");
    let known: Vec<Type> = types.iter().copied().filter(|ty| !chooses || *ty != Type::Dynamic).collect();
    let candidates = if known.is_empty() { &types } else { &known };
    let mut candidates = candidates.iter().copied();
    let Some(first) = candidates.next() else {
        return values.last().map(|value| value.ty);
    };
    let mut all = first;
    for ty in candidates {
        all = match common(all, ty) {
            Some(ty) => ty,
            None if chooses => Type::Dynamic,
            None => return None,
        };
    }
    Some(all)
}

fn is_null(value: &Expr) -> bool {
    matches!(value.kind, ExprKind::Literal(Value::Null))
}
