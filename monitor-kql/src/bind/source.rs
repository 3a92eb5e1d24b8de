//! Members and elements of dynamic values, and paths to tables and columns of joins and steps.

use super::{
    BindError,
    binder::{Bind, Binder},
    convert::convert,
    name::Term,
};
use crate::{
    bound::{Expr, ExprKind},
    syntax::{self, ExprKind as Syntax, Name},
    types::Type,
};

impl<'q> Binder<'_, 'q> {
    /// `base.member`
    pub(super) fn path(&mut self, base: &'q syntax::Expr, member: &'q syntax::Expr) -> Bind<Term> {
        let name = match &member.kind {
            Syntax::Name(name) => name,
            // `database("x").f()`, `T.f()`
            _ => {
                self.database_path(base)?;
                return self.term(member);
            }
        };
        if let Some(value) = self.side(base, name)? {
            return Ok(Term::Value(value));
        }
        if matches!(&base.kind, Syntax::Call { name, .. } if is_database(&name.text)) {
            self.database_path(base)?;
            return self.name(name);
        }
        let value = self.value(base)?;
        if !matches!(value.ty, Type::Dynamic | Type::Unknown) {
            return Err(self.fail(member.span, BindError::NoMembers(value.ty)));
        }
        if value.ty == Type::Unknown {
            return Ok(Term::Value(value));
        }
        let kind = ExprKind::Member { base: Box::new(value), key: name.text.clone() };
        Ok(Term::Value(Expr::new(kind, Type::Dynamic)))
    }

    /// `$left.a`, `$right.a`, `step.a`
    fn side(&mut self, base: &'q syntax::Expr, member: &Name) -> Bind<Option<Expr>> {
        let Syntax::Name(base) = &base.kind else {
            return Ok(None);
        };
        let Some(row) = &self.row else {
            return Ok(None);
        };
        let found = match base.text.as_str() {
            "$left" => row.find(&member.text).cloned().ok_or_else(|| self.unknown_column(member, Some(row))),
            "$right" => {
                let right = row.right.as_deref();
                let found = right.and_then(|right| right.find(&member.text)).cloned();
                found.ok_or_else(|| self.unknown_column(member, right))
            }
            step => {
                let Some((_, state)) = row.steps.iter().find(|(name, _)| name == step) else {
                    return Ok(None);
                };
                let found = state.iter().find(|column| *column.name == *member.text).cloned();
                found.ok_or_else(|| self.unknown_column(member, Some(row)))
            }
        }?;
        Ok(Some(self.column_value(member.span, &found)?))
    }

    /// A host has one database, and its names may be left out; other databases and clusters there are none.
    fn database_path(&mut self, base: &'q syntax::Expr) -> Bind<()> {
        if let Syntax::Call { name, .. } = &base.kind
            && is_database(&name.text)
        {
            let instead = "a host has one database: write the table's name alone".to_owned();
            return Err(self.fail(base.span, BindError::Refused { name: format!("{}()", name.text), instead }));
        }
        Err(self.fail(base.span, BindError::ColumnWanted))
    }

    /// `base[index]`
    pub(super) fn element(&mut self, base: &'q syntax::Expr, index: &'q syntax::Expr) -> Bind<Expr> {
        let base_value = self.value(base)?;
        let index_value = self.value(index)?;
        if !matches!(base_value.ty, Type::Dynamic | Type::Unknown) {
            return Err(self.fail(base.span, BindError::NoMembers(base_value.ty)));
        }
        let fits =
            index_value.ty.is_integer() || matches!(index_value.ty, Type::String | Type::Dynamic | Type::Unknown);
        if !fits {
            let (expected, found) = ("a key or an integer".to_owned(), index_value.ty.to_string());
            return Err(self.fail(index.span, BindError::Wanted { expected, found }));
        }
        if base_value.ty == Type::Unknown {
            return Ok(base_value);
        }
        let base = Box::new(base_value);
        if let Some(key) = index_value.as_text() {
            return Ok(Expr::new(ExprKind::Member { base, key: key.to_owned() }, Type::Dynamic));
        }
        let index_value = if index_value.ty == Type::Int { convert(index_value, Type::Long) } else { index_value };
        Ok(Expr::new(ExprKind::Element { base, index: Box::new(index_value) }, Type::Dynamic))
    }
}

fn is_database(name: &str) -> bool {
    matches!(name, "database" | "cluster")
}
