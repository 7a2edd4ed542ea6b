//! `m:Restriction`: which items or folders are looked for ([MS-OXWSSRCH]).
//!
//! A restriction is read into a tree with its constants already of the sort of their properties, and then asked
//! of one thing after another. A property that a thing has not makes every comparison with it false.

use std::cmp::Ordering;

use crate::ResponseCode;
use crate::xml::{Element, Namespace, Violation};

use super::path::Path;
use super::value::{Sort, Value};

/// Most expressions in one restriction; a request with more is refused. Bounds the work for each item.
pub const EXPRESSIONS_MAX: usize = 128;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restriction {
    /// All of these hold.
    And(Vec<Restriction>),
    /// One of these holds.
    Or(Vec<Restriction>),
    /// This does not hold.
    Not(Box<Restriction>),
    /// The property is there.
    Exists(Path),
    /// The property compares so with the operand.
    Compare(Path, Comparison, Operand),
    /// A text holds another.
    Contains {
        /// The property.
        path: Path,
        /// Where in it.
        mode: Containment,
        /// Whether upper and lower case are the same.
        ignore_case: bool,
        /// What is looked for, in lower case where case is ignored.
        text: String,
    },
    /// None of these bits is set.
    Excludes(Path, i64),
}

/// The six comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the schema's own words")]
pub enum Comparison {
    IsEqualTo,
    IsNotEqualTo,
    IsGreaterThan,
    IsGreaterThanOrEqualTo,
    IsLessThan,
    IsLessThanOrEqualTo,
}

/// What a property is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A constant.
    Constant(Value),
    /// Another property of the same thing.
    Property(Path),
}

/// `ContainmentMode`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Containment {
    /// The whole text.
    FullString,
    /// Its beginning.
    Prefixed,
    /// Anywhere.
    Substring,
    /// The beginning of a word.
    PrefixOnWords,
    /// A whole word.
    ExactPhrase,
}

/// Why a restriction cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsearchable {
    /// It is not what the schema says.
    Violation(Violation),
    /// The answer is an error of this code.
    Code(ResponseCode),
}

impl From<Violation> for Unsearchable {
    fn from(violation: Violation) -> Self {
        Unsearchable::Violation(violation)
    }
}

impl Restriction {
    /// Reads `m:Restriction`. `sort` tells the sort of a property, if it can be searched by.
    pub fn read(element: &Element, sort: impl Fn(&Path) -> Option<Sort>) -> Result<Self, Unsearchable> {
        let [expression] = element.elements() else {
            return Err(element.violation("Exactly one expression is expected here.").into());
        };
        let mut reader = Reader { sort, expressions: 0 };
        reader.expression(expression)
    }

    /// Whether it holds for something with these properties.
    pub fn holds(&self, value: &impl Fn(&Path) -> Option<Value>) -> bool {
        match self {
            Restriction::And(all) => all.iter().all(|restriction| restriction.holds(value)),
            Restriction::Or(any) => any.iter().any(|restriction| restriction.holds(value)),
            Restriction::Not(other) => !other.holds(value),
            Restriction::Exists(path) => value(path).is_some(),
            Restriction::Compare(path, comparison, operand) => {
                let Some(found) = value(path) else { return false };
                let order = match operand {
                    Operand::Constant(constant) => found.order(constant),
                    Operand::Property(other) => value(other).and_then(|other| found.order(&other)),
                };
                order.is_some_and(|order| comparison.holds(order))
            }
            Restriction::Contains { path, mode, ignore_case, text } => match value(path) {
                Some(Value::Text(found)) if *ignore_case => mode.holds(&found.to_lowercase(), text),
                Some(Value::Text(found)) => mode.holds(&found, text),
                _ => false,
            },
            Restriction::Excludes(path, bits) => {
                matches!(value(path), Some(Value::Number(found)) if found & bits == 0)
            }
        }
    }
}

impl Comparison {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "IsEqualTo" => Comparison::IsEqualTo,
            "IsNotEqualTo" => Comparison::IsNotEqualTo,
            "IsGreaterThan" => Comparison::IsGreaterThan,
            "IsGreaterThanOrEqualTo" => Comparison::IsGreaterThanOrEqualTo,
            "IsLessThan" => Comparison::IsLessThan,
            "IsLessThanOrEqualTo" => Comparison::IsLessThanOrEqualTo,
            _ => return None,
        })
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Comparison::IsEqualTo => order.is_eq(),
            Comparison::IsNotEqualTo => order.is_ne(),
            Comparison::IsGreaterThan => order.is_gt(),
            Comparison::IsGreaterThanOrEqualTo => order.is_ge(),
            Comparison::IsLessThan => order.is_lt(),
            Comparison::IsLessThanOrEqualTo => order.is_le(),
        }
    }
}

impl Containment {
    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "FullString" => Containment::FullString,
            "Prefixed" => Containment::Prefixed,
            "Substring" => Containment::Substring,
            "PrefixOnWords" => Containment::PrefixOnWords,
            "ExactPhrase" => Containment::ExactPhrase,
            _ => return None,
        })
    }

    fn holds(self, found: &str, text: &str) -> bool {
        let begins_word = |at: usize| !found[..at].ends_with(char::is_alphanumeric);
        let ends_word = |at: usize| !found[at..].starts_with(char::is_alphanumeric);
        match self {
            Containment::FullString => found == text,
            Containment::Prefixed => found.starts_with(text),
            Containment::Substring => found.contains(text),
            Containment::PrefixOnWords => found.match_indices(text).any(|(at, _)| begins_word(at)),
            Containment::ExactPhrase => {
                found.match_indices(text).any(|(at, _)| begins_word(at) && ends_word(at + text.len()))
            }
        }
    }
}

struct Reader<S> {
    sort: S,
    expressions: usize,
}

impl<S: Fn(&Path) -> Option<Sort>> Reader<S> {
    fn expression(&mut self, element: &Element) -> Result<Restriction, Unsearchable> {
        self.expressions += 1;
        if self.expressions > EXPRESSIONS_MAX {
            return Err(element.violation("The restriction has too many expressions.").into());
        }
        if element.namespace() != Namespace::Types {
            return Err(element.violation("A search expression is expected here.").into());
        }
        match element.name() {
            "And" => Ok(Restriction::And(self.operands(element)?)),
            "Or" => Ok(Restriction::Or(self.operands(element)?)),
            "Not" => match element.elements() {
                [one] => Ok(Restriction::Not(Box::new(self.expression(one)?))),
                _ => Err(element.violation("Exactly one expression is expected here.").into()),
            },
            "Exists" => match element.elements() {
                [path] => {
                    let path = Path::required(path)?;
                    self.sort_of(&path)?;
                    Ok(Restriction::Exists(path))
                }
                _ => Err(element.violation("Exactly one path is expected here.").into()),
            },
            "Contains" => self.contains(element),
            "Excludes" => self.excludes(element),
            name => match Comparison::from_name(name) {
                Some(comparison) => self.compare(element, comparison),
                None => Err(element.violation("The search expression is not known.").into()),
            },
        }
    }

    /// A client may write `And` and `Or` around a single expression.
    fn operands(&mut self, element: &Element) -> Result<Vec<Restriction>, Unsearchable> {
        if element.elements().is_empty() {
            return Err(element.violation("An expression is missing.").into());
        }
        element.elements().iter().map(|operand| self.expression(operand)).collect()
    }

    fn sort_of(&self, path: &Path) -> Result<Sort, Unsearchable> {
        (self.sort)(path).ok_or(Unsearchable::Code(ResponseCode::ErrorUnsupportedPathForQuery))
    }

    fn compare(&self, element: &Element, comparison: Comparison) -> Result<Restriction, Unsearchable> {
        let [path, operand] = element.elements() else {
            return Err(element.violation("A path and an operand are expected here.").into());
        };
        let path = Path::required(path)?;
        let sort = self.sort_of(&path)?;
        let [operand] = operand.elements() else {
            return Err(operand.violation("Exactly one operand is expected here.").into());
        };
        let operand = if operand.is(Namespace::Types, "Constant") {
            let constant = sort.read(operand.required_attribute("Value")?);
            Operand::Constant(constant.ok_or(Unsearchable::Code(ResponseCode::ErrorInvalidRestriction))?)
        } else {
            let other = Path::required(operand)?;
            if self.sort_of(&other)? != sort {
                return Err(Unsearchable::Code(ResponseCode::ErrorInvalidRestriction));
            }
            Operand::Property(other)
        };
        Ok(Restriction::Compare(path, comparison, operand))
    }

    fn contains(&self, element: &Element) -> Result<Restriction, Unsearchable> {
        let [path, constant] = element.elements() else {
            return Err(element.violation("A path and a constant are expected here.").into());
        };
        if !constant.is(Namespace::Types, "Constant") {
            return Err(constant.violation("A constant is expected here.").into());
        }
        let path = Path::required(path)?;
        if self.sort_of(&path)? != Sort::Text {
            return Err(Unsearchable::Code(ResponseCode::ErrorInvalidRestriction));
        }
        let mode = match element.attribute("ContainmentMode") {
            None => Containment::FullString,
            Some(word) => Containment::from_word(word)
                .ok_or_else(|| element.violation("The mode of containment is not known."))?,
        };
        let ignore_case = match element.attribute("ContainmentComparison") {
            None | Some("Exact" | "IgnoreNonSpacingCharacters") => false,
            Some("Loose" | "IgnoreCase" | "LooseAndIgnoreCase" | "LooseAndIgnoreNonSpace") => true,
            Some("IgnoreCaseAndNonSpacingCharacters" | "LooseAndIgnoreCaseAndIgnoreNonSpace") => true,
            Some(_) => return Err(element.violation("The comparison is not known.").into()),
        };
        let text = constant.required_attribute("Value")?;
        let text = if ignore_case { text.to_lowercase() } else { text.to_owned() };
        Ok(Restriction::Contains { path, mode, ignore_case, text })
    }

    fn excludes(&self, element: &Element) -> Result<Restriction, Unsearchable> {
        let [path, bits] = element.elements() else {
            return Err(element.violation("A path and a mask of bits are expected here.").into());
        };
        let path = Path::required(path)?;
        if self.sort_of(&path)? != Sort::Number {
            return Err(Unsearchable::Code(ResponseCode::ErrorInvalidRestriction));
        }
        let text = bits.required_attribute("Value")?.trim();
        let mask = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) => i64::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        };
        let mask = mask.ok_or_else(|| bits.violation("The mask of bits is not a number."))?;
        Ok(Restriction::Excludes(path, mask))
    }
}

#[cfg(test)]
#[path = "restriction_tests.rs"]
mod tests;
