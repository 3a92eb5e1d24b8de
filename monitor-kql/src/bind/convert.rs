//! Conversions that the language makes by itself.

use serde_json::Value as Json;

use super::{
    BindError,
    binder::{Bind, Binder},
};
use crate::{
    bound::{Expr, ExprKind},
    span::Span,
    types::Type,
    value::Value,
};

/// `value` as one of type `ty`. Literals are converted here and now.
pub(super) fn convert(value: Expr, ty: Type) -> Expr {
    if value.ty == ty || ty == Type::Unknown {
        return value;
    }
    if let Some(literal) = value.as_literal().and_then(|literal| convert_literal(literal, ty)) {
        return Expr::literal(literal, ty);
    }
    Expr::new(ExprKind::Convert(Box::new(value)), ty)
}

/// A literal as one of another type; `None` when that has to wait for the query to run.
fn convert_literal(value: &Value<'static>, ty: Type) -> Option<Value<'static>> {
    Some(match (value, ty) {
        (Value::Null, _) => Value::absent(ty),
        (Value::Int(value), Type::Long) => Value::Long(i64::from(*value)),
        (Value::Int(value), Type::Real) => Value::Real(f64::from(*value)),
        (Value::Long(value), Type::Int) => Value::Int(i32::try_from(*value).ok()?),
        #[expect(clippy::cast_precision_loss, reason = "a real is what was asked for")]
        (Value::Long(value), Type::Real) => Value::Real(*value as f64),
        (Value::Int(value), Type::Decimal) => Value::Decimal((*value).into()),
        (Value::Long(value), Type::Decimal) => Value::Decimal((*value).into()),
        (
            Value::Bool(_) | Value::Int(_) | Value::Long(_) | Value::DateTime(_) | Value::Timespan(_) | Value::Guid(_),
            Type::String,
        ) => Value::string(value.to_string()),
        (Value::String(text), Type::Dynamic) => Value::dynamic(Json::String(text.clone().into_owned())),
        (Value::Bool(value), Type::Dynamic) => Value::dynamic(Json::Bool(*value)),
        (Value::Int(value), Type::Dynamic) => Value::dynamic(Json::Number((*value).into())),
        (Value::Long(value), Type::Dynamic) => Value::dynamic(Json::Number((*value).into())),
        (Value::String(text), Type::DateTime | Type::Timespan | Type::Guid | Type::Int | Type::Long | Type::Real) => {
            crate::literal::typed(ty, text)?
        }
        _ => return None,
    })
}

/// The type that values of both types can have; `None` when only dynamic would hold both.
pub(super) fn common(left: Type, right: Type) -> Option<Type> {
    match (left, right) {
        (left, right) if left == right => Some(left),
        (Type::Unknown, other) | (other, Type::Unknown) => Some(other),
        (Type::Dynamic, _) | (_, Type::Dynamic) => Some(Type::Dynamic),
        (left, right) if left.widens_to(right) => Some(right),
        (left, right) if right.widens_to(left) => Some(left),
        _ => None,
    }
}

impl Binder<'_, '_> {
    /// `value` as one of type `ty`, if the language converts so by itself.
    pub(super) fn coerce(&self, span: Span, value: Expr, ty: Type) -> Bind<Expr> {
        if value.ty == ty || value.ty == Type::Unknown || value.ty.widens_to(ty) || ty == Type::Unknown {
            return Ok(convert(value, ty));
        }
        Err(self.fail(span, BindError::Wanted { expected: ty.to_string(), found: value.ty.to_string() }))
    }
}
