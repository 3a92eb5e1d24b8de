//! What signs and words between two operands take and give, after Kusto's table of operators.

use super::convert::{common, convert};
use crate::{bound::Expr, syntax::BinaryOperator, types::Type};

/// The operands as the operator takes them, and the type of its value; `None` when it is not defined for them.
pub(super) fn operands(operator: BinaryOperator, left: Expr, right: Expr) -> Option<(Expr, Expr, Type)> {
    use BinaryOperator as B;
    match operator {
        B::Add | B::Subtract | B::Multiply | B::Divide | B::Modulo => arithmetic(operator, left, right),
        B::Less | B::LessOrEqual | B::Greater | B::GreaterOrEqual => ordering(left, right),
        B::Equal | B::NotEqual => {
            let (left, right) = same(left, right);
            Some((left, right, Type::Bool))
        }
        B::String(_) => text(left, right),
    }
}

/// int counts as long in arithmetic.
fn promoted(ty: Type) -> Type {
    if ty == Type::Int { Type::Long } else { ty }
}

fn arithmetic(operator: BinaryOperator, left: Expr, right: Expr) -> Option<(Expr, Expr, Type)> {
    use BinaryOperator as B;
    use Type::{DateTime, Dynamic, Real, Timespan, Unknown};
    let result = match (operator, left.ty, right.ty) {
        (_, Unknown, Unknown) => Unknown,
        (_, Unknown, known) | (_, known, Unknown) if known.is_summable() || known == Dynamic => Unknown,
        (_, left_ty, right_ty) if left_ty.is_number() && right_ty.is_number() => {
            let ty = promoted(left_ty.widest(right_ty));
            return Some((convert(left, ty), convert(right, ty), ty));
        }
        (_, Dynamic, Dynamic) => Dynamic,
        (B::Subtract, DateTime, Dynamic) => return Some((left, convert(right, DateTime), Timespan)),
        (B::Subtract, Dynamic, DateTime) => return Some((convert(left, DateTime), right, Timespan)),
        (_, Dynamic, ty) if takes_dynamic(operator, ty) => {
            let ty = promoted(ty);
            return Some((convert(left, ty), convert(right, ty), ty));
        }
        (_, ty, Dynamic) if takes_dynamic(operator, ty) => {
            let ty = promoted(ty);
            return Some((convert(left, ty), convert(right, ty), ty));
        }
        (B::Add, Timespan, Timespan) | (B::Subtract, Timespan | DateTime, Timespan | DateTime) => {
            if operator == B::Subtract && left.ty != right.ty { DateTime } else { Timespan }
        }
        (B::Add, DateTime, Timespan) | (B::Add, Timespan, DateTime) => DateTime,
        (B::Multiply, Timespan, ty) | (B::Multiply, ty, Timespan) if ty.is_number() => Timespan,
        (B::Divide, Timespan, Timespan) | (B::Divide, DateTime, DateTime | Timespan) => Real,
        (B::Divide, Timespan, ty) if ty.is_number() => Timespan,
        (B::Modulo, Timespan | DateTime, Timespan) | (B::Modulo, DateTime, DateTime) => Timespan,
        (B::Modulo, Timespan, ty) if ty.is_number() => Timespan,
        _ => return None,
    };
    Some((left, right, result))
}

fn takes_dynamic(operator: BinaryOperator, ty: Type) -> bool {
    let is_sum = matches!(operator, BinaryOperator::Add | BinaryOperator::Subtract);
    ty.is_number() || (is_sum && matches!(ty, Type::DateTime | Type::Timespan))
}

fn ordering(left: Expr, right: Expr) -> Option<(Expr, Expr, Type)> {
    use Type::{Bool, Dynamic, Unknown};
    let orders = |ty: Type| ty.is_summable() || ty == Bool;
    let ty = match (left.ty, right.ty) {
        (Unknown, ty) | (ty, Unknown) if orders(ty) || matches!(ty, Dynamic | Unknown) => ty,
        (Dynamic, Dynamic) => Dynamic,
        (Dynamic, ty) | (ty, Dynamic) if ty.is_number() => promoted(ty),
        (Bool, ty) | (ty, Bool) if ty.is_number() => ty,
        (left, right) if orders(left) => common(left, right)?,
        _ => return None,
    };
    Some((convert(left, ty), convert(right, ty), Bool))
}

/// Both sides with one type, as `==` compares them: any two scalars may be compared.
pub(super) fn same(left: Expr, right: Expr) -> (Expr, Expr) {
    use Type::{Bool, Dynamic, String, Unknown};
    let ty = match (left.ty, right.ty) {
        (Unknown, ty) | (ty, Unknown) => ty,
        (Dynamic, ty) | (ty, Dynamic) => ty,
        (Bool, ty) | (ty, Bool) if ty.is_number() => ty,
        // A text is compared as what the other side is, when it is written out and can be read so.
        (String, ty) if left.as_literal().is_some() => readable(&left, ty),
        (ty, String) if right.as_literal().is_some() => readable(&right, ty),
        (left, right) => common(left, right).unwrap_or(String),
    };
    (convert(left, ty), convert(right, ty))
}

fn readable(literal: &Expr, ty: Type) -> Type {
    let is_readable = ty == Type::String || convert(literal.clone(), ty).as_literal().is_some();
    if is_readable { ty } else { Type::String }
}

fn text(left: Expr, right: Expr) -> Option<(Expr, Expr, Type)> {
    let is_text = |ty: Type| matches!(ty, Type::String | Type::Dynamic | Type::Unknown);
    if !is_text(left.ty) || !is_text(right.ty) {
        return None;
    }
    Some((convert(left, Type::String), convert(right, Type::String), Type::Bool))
}
