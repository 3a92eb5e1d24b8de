//! Signatures as they are written in the tables, and how they are read.

use crate::types::Type;

/// A function's signature; a function may have several.
#[derive(Debug)]
pub(crate) struct Signature {
    /// The function.
    pub(crate) name: &'static str,
    /// In their order.
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) result: Returns,
    pub(crate) naming: Naming,
    /// The repeated parameters repeat together, as the pairs of `case` do.
    pub(crate) is_in_blocks: bool,
    /// What the function is called today, when this is its former name.
    pub(crate) today: Option<&'static str>,
    /// The line of the table.
    pub(crate) line: &'static str,
}

#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) class: Class,
    pub(crate) place: Place,
    pub(crate) occurs: Occurs,
    /// The strings that it may be; any when there are none.
    pub(crate) values: Vec<&'static str>,
}

/// What an argument may be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Anything,
    /// No column in it.
    Constant,
    /// Written out.
    Literal,
    /// A column.
    Column,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occurs {
    Once,
    Maybe,
    /// At least so often.
    AtLeast(usize),
}

/// Which types an argument may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Types(Vec<Type>),
    Scalar,
    Integer,
    Number,
    NumberOrBool,
    /// An array or a bag, whose kind is known when the query runs.
    Dynamic,
    Summable,
    Orderable,
    NotDynamic,
    NotRealOrBool,
    /// One type for all arguments of this class.
    Common,
    CommonOrderable,
    /// `typeof(…)`
    TypeName,
}

/// The type of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returns {
    Type(Type),
    First,
    Second,
    /// Of the first argument, int being long.
    Promoted,
    Widest,
    Common,
    /// What the last argument names.
    Named,
    /// Several columns.
    Tuple,
}

/// The name of the column that a call makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    None,
    First,
    Prefix(&'static str),
    Only(&'static str),
    Suffix(&'static str),
    Single,
    Column,
}

impl Signature {
    /// Reads a line of a table; `None` when it is none.
    pub(crate) fn parse(line: &'static str) -> Option<Self> {
        let (name, rest) = line.split_once('(')?;
        let (parameters, rest) = rest.split_once("): ")?;
        let mut words = rest.split_whitespace();
        let result = match words.next()? {
            "p0" => Returns::First,
            "p1" => Returns::Second,
            "promoted" => Returns::Promoted,
            "widest" => Returns::Widest,
            "common" => Returns::Common,
            "literal" => Returns::Named,
            "tuple" | "columns" => Returns::Tuple,
            word => Returns::Type(Type::parse(word)?),
        };
        let mut signature = Self {
            name,
            parameters: Vec::new(),
            result,
            naming: Naming::None,
            is_in_blocks: false,
            today: None,
            line: line.split("  @").next().unwrap_or(line),
        };
        for part in parameters.split(", ").filter(|part| !part.is_empty()) {
            signature.parameters.push(Parameter::parse(part)?);
        }
        for note in rest.split('@').skip(1) {
            let (note, value) = note.trim().trim_end_matches(')').split_once('(').unwrap_or((note.trim(), ""));
            match note {
                "first" => signature.naming = Naming::First,
                "prefix" => signature.naming = Naming::Prefix(value),
                "only" => signature.naming = Naming::Only(value),
                "suffix" => signature.naming = Naming::Suffix(value),
                "single" => signature.naming = Naming::Single,
                "column" => signature.naming = Naming::Column,
                "blocks" => signature.is_in_blocks = true,
                "old" => signature.today = Some(value),
                _ => return None,
            }
        }
        Some(signature)
    }

    /// The parameter of each of `count` arguments; `None` when so many do not fit.
    pub(crate) fn layout(&self, count: usize) -> Option<Vec<&Parameter>> {
        if self.is_in_blocks {
            return self.blocks(count);
        }
        let required = |parameter: &Parameter| match parameter.occurs {
            Occurs::Once => 1,
            Occurs::Maybe => 0,
            Occurs::AtLeast(least) => least,
        };
        let mut spare = count.checked_sub(self.parameters.iter().map(required).sum())?;
        let mut layout = Vec::with_capacity(count);
        for (at, parameter) in self.parameters.iter().enumerate() {
            // What follows a repeated parameter is optional: it comes last, so the repeated one takes what is spare.
            let times = match parameter.occurs {
                Occurs::Once => 1,
                Occurs::Maybe if spare > 0 => {
                    spare -= 1;
                    1
                }
                Occurs::Maybe => 0,
                Occurs::AtLeast(least) => least + std::mem::take(&mut spare),
            };
            debug_assert!(at < self.parameters.len(), "counted by enumerate");
            layout.extend(std::iter::repeat_n(parameter, times));
        }
        (spare == 0).then_some(layout)
    }

    fn blocks(&self, count: usize) -> Option<Vec<&Parameter>> {
        let (repeated, last): (Vec<&Parameter>, Vec<&Parameter>) =
            self.parameters.iter().partition(|parameter| parameter.occurs != Occurs::Once);
        let pairs = count.checked_sub(last.len())?;
        if pairs == 0 || !pairs.is_multiple_of(repeated.len()) {
            return None;
        }
        let cycle = repeated.iter().copied().cycle().take(pairs);
        Some(cycle.chain(last).collect())
    }
}

impl Parameter {
    fn parse(text: &'static str) -> Option<Self> {
        if text == "*" {
            return Some(Self {
                name: "*",
                class: Class::Scalar,
                place: Place::Anything,
                occurs: Occurs::Once,
                values: Vec::new(),
            });
        }
        let (name, class) = text.split_once(": ")?;
        let (class, values) = class.split_once(" = ").unwrap_or((class, ""));
        let (name, occurs) = if let Some(name) = name.strip_suffix('?') {
            (name, Occurs::Maybe)
        } else if let Some(name) = name.strip_suffix('+') {
            (name, Occurs::AtLeast(1))
        } else if let Some((name, least)) = name.strip_suffix("..}").and_then(|name| name.split_once('{')) {
            (name, Occurs::AtLeast(least.parse().ok()?))
        } else {
            (name, Occurs::Once)
        };
        let class = class.strip_prefix('*').unwrap_or(class);
        let (place, class) = match class.split_once(' ') {
            Some(("const", class)) => (Place::Constant, class),
            Some(("literal", class)) => (Place::Literal, class),
            Some(("column", class)) => (Place::Column, class),
            Some(_) => return None,
            None => (Place::Anything, class),
        };
        let values = values.split('|').filter(|value| !value.is_empty()).collect();
        Some(Self { name, class: Class::parse(class)?, place, occurs, values })
    }
}

impl Class {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "scalar" => Self::Scalar,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "number/bool" => Self::NumberOrBool,
            "array" | "bag" => Self::Dynamic,
            "summable" => Self::Summable,
            "orderable" => Self::Orderable,
            "notdynamic" => Self::NotDynamic,
            "notrealorbool" => Self::NotRealOrBool,
            "common" => Self::Common,
            "commonorderable" => Self::CommonOrderable,
            "type" => Self::TypeName,
            "integer/dynamic" => Self::Types(vec![Type::Int, Type::Long, Type::Dynamic]),
            types => Self::Types(types.split('/').map(Type::parse).collect::<Option<_>>()?),
        })
    }

    /// How well an argument of type `ty` fits: 0 is best; `None` when it does not.
    pub(crate) fn fits(&self, ty: Type) -> Option<u32> {
        if ty == Type::Unknown {
            return Some(1);
        }
        let when = |fits: bool| fits.then_some(1);
        match self {
            Self::Types(types) if types.contains(&ty) => Some(0),
            Self::Types(types) => types.iter().any(|wanted| ty.widens_to(*wanted)).then_some(2),
            Self::Scalar | Self::Common => when(true),
            Self::Integer => when(ty.is_integer()),
            Self::Number => when(ty.is_number()),
            Self::NumberOrBool => when(ty.is_number() || ty == Type::Bool),
            Self::Dynamic => when(ty == Type::Dynamic),
            Self::Summable => when(ty.is_summable()),
            Self::Orderable => when(ty.is_orderable()),
            Self::CommonOrderable => when(ty.is_orderable() || ty == Type::Dynamic),
            Self::NotDynamic => when(ty != Type::Dynamic),
            Self::NotRealOrBool => when(!matches!(ty, Type::Real | Type::Bool)),
            Self::TypeName => None,
        }
    }

    /// The class in words, for messages.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Types(types) => types.iter().map(|ty| ty.name()).collect::<Vec<_>>().join(" or "),
            Self::Scalar | Self::Common => "a value".to_owned(),
            Self::Integer => "int or long".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::NumberOrBool => "a number or bool".to_owned(),
            Self::Dynamic => "dynamic".to_owned(),
            Self::Summable => "a number, datetime or timespan".to_owned(),
            Self::Orderable | Self::CommonOrderable => "a number, datetime, timespan, string or bool".to_owned(),
            Self::NotDynamic => "anything but dynamic".to_owned(),
            Self::NotRealOrBool => "anything but real or bool".to_owned(),
            Self::TypeName => "typeof(…)".to_owned(),
        }
    }
}
