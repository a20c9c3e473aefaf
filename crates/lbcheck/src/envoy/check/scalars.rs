//! Whether a scalar can become the type its field has.

use super::super::scalar::Scalar;
use super::super::schema::{self, Enum, Field, FieldKind};
use super::super::tree::{Field as Entry, Value};
use super::super::value::{spells, text_boolean, text_integer, text_number};
use super::Check;
use crate::diagnostic::{RuleId, Severity};

impl<'t> Check<'_, 't> {
    /// Checks one value of a field that is neither a message nor an `Any`.
    pub(super) fn scalar(&mut self, field: &'static Field, entry: &Entry<'t>, value: Value<'t>) {
        if value.is_null() {
            return;
        }
        let wanted = match field.kind {
            FieldKind::Struct if !value.is_map() => "a map",
            FieldKind::JsonList if !value.is_list() => "a list",
            FieldKind::Struct
            | FieldKind::JsonList
            | FieldKind::Json
            | FieldKind::Nested(_)
            | FieldKind::Any => return,
            FieldKind::Duration => return self.duration(entry, value),
            FieldKind::Choice(number) => return self.choice(number, entry, value),
            FieldKind::Timestamp if value.is_map() => return,
            _ if value.is_map() && field.cardinality != schema::Cardinality::One => {
                return self.wrapper(field, entry, value);
            }
            kind => match fits(kind, value) {
                true => return,
                false => wanted(kind),
            },
        };
        let shown = shown(value);
        let help = match (field.kind, value.scalar()) {
            (FieldKind::Text, Some(Scalar::Bool(_) | Scalar::Int(_))) => {
                Some(format!("put it in quotes: \"{}\"", value.text()))
            }
            _ => None,
        };
        let message = format!("`{}` must be {wanted}, not {shown}", entry.key);
        self.report(RuleId::InvalidValue, value.span(), message, help);
    }

    /// A wrapper written as the message it is: `{value: 3}`.
    fn wrapper(&mut self, field: &'static Field, entry: &Entry<'t>, value: Value<'t>) {
        for inner in value.fields() {
            let known = inner.key == "value";
            self.seen(known);
            if !known {
                let message = format!("`{}` is not a field of `{}`", inner.key, entry.key);
                let help = format!("write the value itself: `{}: …`", entry.key);
                self.report(RuleId::UnknownDirective, inner.key_span, message, Some(help));
            } else if !inner.value.is_null() && !fits(field.kind, inner.value) {
                let wanted = wanted(field.kind);
                let message = format!("`{}` must be {wanted}, not {}", entry.key, shown(inner.value));
                self.report(RuleId::InvalidValue, inner.value.span(), message, None);
            }
        }
    }

    fn duration(&mut self, entry: &Entry<'t>, value: Value<'t>) {
        if value.is_map() {
            for inner in value.fields() {
                let known = spells(inner.key, "seconds") || spells(inner.key, "nanos");
                self.seen(known);
                if !known {
                    let message = format!("`{}` is not a field of a duration", inner.key);
                    let help = "write it as `5s`, or with `seconds` and `nanos`";
                    self.report(RuleId::UnknownDirective, inner.key_span, message, Some(help.into()));
                } else if !inner.value.is_null() && inner.value.integer().is_none() {
                    let message = format!("`{}` must be a whole number", inner.key);
                    self.report(RuleId::InvalidValue, inner.value.span(), message, None);
                }
            }
            return;
        }
        if let Some((seconds, nanos)) = value.signed_duration() {
            // Nanoseconds of 64 bits hold no more.
            let text = if seconds < 0 || nanos < 0 {
                format!("`{}` is a negative duration", entry.key)
            } else if seconds > 9_223_372_036 {
                format!("`{}` is longer than any duration Envoy can hold", entry.key)
            } else {
                return;
            };
            self.report(RuleId::InvalidValue, value.span(), text, None);
            return;
        }
        let message = format!("`{}` must be a duration such as `5s`, not {}", entry.key, shown(value));
        self.report(RuleId::InvalidValue, value.span(), message, duration_help(value.text()));
    }

    /// A value of an enum that Envoy warns of, or refuses unless its runtime is told to take it.
    fn deprecated_choice(
        &mut self,
        choice: &Enum,
        number: Option<i128>,
        entry: &Entry<'t>,
        value: Value<'t>,
    ) {
        let among = |numbers: &[i32]| numbers.iter().any(|known| Some(i128::from(*known)) == number);
        let gone = among(choice.gone) && !self.allows_deprecated;
        if !gone && !among(choice.old) {
            return;
        }
        let effect = if gone { "and Envoy refuses it" } else { "Envoy warns of it and will drop it" };
        let message = format!("the value {} of `{}` is deprecated, {effect}", value.text(), entry.key);
        let severity = if gone { self.severity } else { self.severity.min(Severity::Warning) };
        let others = choice.values.iter().filter(|(_, number)| !choice.old.contains(number));
        let names: Vec<&str> = others.map(|(name, _)| *name).take(12).collect();
        let help = format!("use one of: {}", names.join(", "));
        self.say(RuleId::DeprecatedDirective, severity, value.span(), message, Some(help));
    }

    fn choice(&mut self, number: u16, entry: &Entry<'t>, value: Value<'t>) {
        let Some(choice) = schema::choice(number) else { return };
        let known = match value.scalar() {
            Some(Scalar::Int(_)) => true,
            Some(Scalar::Text(text)) => choice.number(text).is_some() || text_integer(text).is_some(),
            Some(Scalar::Null) => true,
            Some(Scalar::Bool(_)) | None => false,
        };
        let short = schema::short(choice.name);
        if known {
            let number = match value.scalar() {
                Some(Scalar::Text(text)) => {
                    choice.number(text).map(i128::from).or_else(|| text_integer(text))
                }
                _ => value.integer(),
            };
            let name = choice.values.iter().find(|(_, known)| Some(i128::from(*known)) == number);
            if let Some(since) = name.and_then(|(name, _)| self.comes_later(choice.name, name)) {
                let message = format!(
                    "`{}` cannot be {} in Envoy {}: that comes with {since}",
                    entry.key,
                    shown(value),
                    self.findings.version
                );
                self.report(RuleId::InvalidValue, value.span(), message, None);
                return;
            }
            self.deprecated_choice(choice, number, entry, value);
            return;
        }
        let message = format!("`{}` cannot be {}: it is not a {short}", entry.key, shown(value));
        let names = choice.values.iter().map(|(name, _)| *name);
        let upper = value.text().to_ascii_uppercase();
        let help = match self.findings.suggest(&upper, names.clone()) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("one of: {}", names.take(12).collect::<Vec<_>>().join(", ")),
        };
        self.report(RuleId::InvalidValue, value.span(), message, Some(help));
    }
}

/// Whether protobuf's JSON reader takes the value for this kind.
fn fits(kind: FieldKind, value: Value<'_>) -> bool {
    let Some(scalar) = value.scalar() else { return false };
    let whole = |low: i128, high: i128| {
        let number = match scalar {
            Scalar::Int(number) => Some(i128::from(number)),
            Scalar::Text(text) => text_integer(text),
            Scalar::Null | Scalar::Bool(_) => None,
        };
        number.is_some_and(|number| (low..=high).contains(&number))
    };
    match kind {
        FieldKind::Bool => match scalar {
            Scalar::Bool(_) => true,
            Scalar::Text(text) => text_boolean(text).is_some(),
            Scalar::Null | Scalar::Int(_) => false,
        },
        FieldKind::Int32 => whole(i32::MIN.into(), i32::MAX.into()),
        FieldKind::Int64 => whole(i64::MIN.into(), i64::MAX.into()),
        FieldKind::UInt32 => whole(0, u32::MAX.into()),
        FieldKind::UInt64 => whole(0, u64::MAX.into()),
        FieldKind::Double | FieldKind::Float => match scalar {
            Scalar::Int(_) => true,
            Scalar::Text(text) => text_number(text).is_some(),
            Scalar::Null | Scalar::Bool(_) => false,
        },
        FieldKind::Bytes => matches!(scalar, Scalar::Text(text) if is_base64(text)),
        FieldKind::Text | FieldKind::Timestamp => matches!(scalar, Scalar::Text(_)),
        _ => true,
    }
}

fn is_base64(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte))
}

fn wanted(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Bool => "true or false",
        FieldKind::Int32 => "a whole number of 32 bits",
        FieldKind::Int64 => "a whole number",
        FieldKind::UInt32 => "a whole number from 0 to 4294967295",
        FieldKind::UInt64 => "a whole number from 0 on",
        FieldKind::Double | FieldKind::Float => "a number",
        FieldKind::Bytes => "text in base64",
        _ => "a string",
    }
}

fn shown(value: Value<'_>) -> String {
    if value.is_map() {
        return "a map".to_owned();
    }
    if value.is_list() {
        return "a list".to_owned();
    }
    let text: String = value.text().chars().take(40).collect();
    match value.scalar() {
        Some(Scalar::Bool(_)) => format!("the boolean {text}"),
        Some(Scalar::Int(_)) => format!("the number {text}"),
        _ => format!("\"{text}\""),
    }
}

/// How the duration was probably meant.
fn duration_help(text: &str) -> Option<String> {
    if text_number(text).is_some() {
        return Some(format!("add the unit: `{text}s`"));
    }
    let number = text.strip_suffix("ms")?;
    let millis: u32 = number.parse().ok()?;
    Some(format!("write it in seconds: `{}s`", f64::from(millis) / 1000.0))
}
