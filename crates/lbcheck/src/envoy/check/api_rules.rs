//! The validation rules that stand in Envoy's API files.

use super::super::schema::{self, Cardinality, Field, FieldKind, Message, Rule};
use super::super::tree::{Field as Entry, Value};
use super::super::value::spells;
use super::{Check, named, pattern};
use crate::diagnostic::RuleId;

impl<'t> Check<'_, 't> {
    /// Checks the rules of a message: of its fields, and of the oneofs that must be set.
    pub(super) fn check_rules(
        &mut self,
        value: Value<'t>,
        message: &'static Message,
        oneofs: &[(u8, Entry<'t>)],
        field_name: &str,
    ) {
        for number in message.required {
            if !oneofs.iter().any(|(set, _)| set == number) {
                self.missing_choice(value, message, *number, field_name);
            }
        }
        for field in message.fields.iter().filter(|field| has_rules(field)) {
            let written = value.fields().find(|entry| spells(entry.key, field.name));
            match written.filter(|entry| !entry.value.is_null()) {
                Some(entry) => self.written(field, &entry),
                None => self.absent(value, written, message, field),
            }
        }
    }

    fn missing_choice(&mut self, value: Value<'t>, message: &'static Message, number: u8, field: &str) {
        let names: Vec<String> = message
            .fields
            .iter()
            .filter(|field| field.oneof == number)
            .map(|field| format!("`{}`", field.name))
            .collect();
        let what = match field {
            "" => format!("`{}`", schema::short(message.name)),
            _ => format!("{} ({})", named(field), schema::short(message.name)),
        };
        let text = format!("{what} needs one of {}; Envoy refuses it without", names.join(", "));
        self.report(RuleId::InvalidValue, value.span(), text, None);
    }

    /// A field that is not there: required, or a scalar whose zero breaks a rule.
    /// `empty`: its key stands there without a value.
    fn absent(
        &mut self,
        value: Value<'t>,
        empty: Option<Entry<'t>>,
        message: &'static Message,
        field: &'static Field,
    ) {
        // Inside a oneof a rule speaks only of the field that was chosen.
        let required = field.oneof == 0 && field.rules.contains(&Rule::Required);
        let counted = matches!(field.cardinality, Cardinality::Many | Cardinality::Map);
        let zero = field.cardinality == Cardinality::One && field.oneof == 0;
        let wanted = field.rules.iter().any(|rule| match rule {
            Rule::MinItems(least) => counted && *least > 0,
            _ => zero && breaks_zero(field, rule),
        });
        let lenient = field.rules.contains(&Rule::IgnoreEmpty);
        let gone = zero
            && !self.allows_deprecated
            && matches!(field.kind, FieldKind::Choice(number) if schema::choice(number).is_some_and(|choice| choice.gone.contains(&0)));
        if required || (wanted && !lenient) || gone {
            let short = schema::short(message.name);
            let text = format!("`{short}` needs the field `{}`; Envoy refuses it without", field.name);
            let (place, help) = match empty {
                Some(entry) => (entry.key_span, format!("give `{}` a value", field.name)),
                None => (head(value), format!("add `{}`", field.name)),
            };
            self.report(RuleId::InvalidValue, place, text, Some(help));
        }
    }

    fn written(&mut self, field: &'static Field, entry: &Entry<'t>) {
        for rule in field.rules {
            match rule {
                Rule::MinItems(least) => self.count(entry, *least, u64::MAX),
                Rule::MaxItems(most) => self.count(entry, 0, *most),
                Rule::Unique => self.unique(entry),
                Rule::Items(rules) => {
                    let maps = field.cardinality == Cardinality::Map;
                    let items: Vec<Value<'t>> = match maps {
                        true => entry.value.fields().map(|inner| inner.value).collect(),
                        false => entry.value.items().collect(),
                    };
                    for item in items {
                        self.value(field.kind, rules, entry, item);
                    }
                }
                Rule::Keys(rules) => {
                    let keys: Vec<Entry<'t>> = entry.value.fields().collect();
                    for inner in keys {
                        if let Some(problem) = broken_text(rules, inner.key) {
                            let text = format!("the key `{}` of `{}` {problem}", inner.key, entry.key);
                            self.report(RuleId::InvalidValue, inner.key_span, text, None);
                        }
                    }
                }
                _ => {}
            }
        }
        if matches!(field.cardinality, Cardinality::One | Cardinality::Boxed) {
            self.value(field.kind, field.rules, entry, entry.value);
        }
    }

    /// The scalars of a list must differ.
    fn unique(&mut self, entry: &Entry<'t>) {
        let mut items: Vec<Value<'t>> = entry.value.items().collect();
        items.sort_by_key(|item| item.text());
        for pair in items.windows(2) {
            if let [first, second] = pair
                && first.text() == second.text()
            {
                let text = format!("`{}` has {} twice, and its values must differ", entry.key, second.text());
                self.report(RuleId::InvalidValue, second.span(), text, None);
            }
        }
    }

    fn count(&mut self, entry: &Entry<'t>, least: u64, most: u64) {
        let count = match entry.value.is_map() || entry.value.is_list() {
            true if entry.value.is_list() => entry.value.items().count() as u64,
            // One bare message stands for a list of one.
            _ => 1,
        };
        let text = if count < least {
            format!("`{}` needs at least {least} entries, not {count}", entry.key)
        } else if count > most {
            format!("`{}` takes at most {most} entries, not {count}", entry.key)
        } else {
            return;
        };
        self.report(RuleId::InvalidValue, entry.value.span(), text, None);
    }

    /// The rules of one value. A value of the wrong type was reported already.
    fn value(&mut self, kind: FieldKind, rules: &'static [Rule], entry: &Entry<'t>, value: Value<'t>) {
        let problem = match kind {
            FieldKind::Text => value.string().and_then(|text| broken_text(rules, text)),
            FieldKind::Bytes => None,
            FieldKind::Bool => value
                .boolean()
                .and_then(|flag| rules.contains(&Rule::Const(!flag)).then(|| format!("must be {}", !flag))),
            FieldKind::Duration => value.signed_duration().and_then(|(seconds, nanos)| {
                broken_bound(rules, seconds as f64 + f64::from(nanos) / 1e9, "s")
            }),
            FieldKind::Choice(number) => broken_choice(number, rules, value),
            FieldKind::Double | FieldKind::Float => {
                value.number().and_then(|number| broken_bound(rules, number, ""))
            }
            FieldKind::Int32 | FieldKind::Int64 | FieldKind::UInt32 | FieldKind::UInt64 => value
                .integer()
                .filter(|number| !(*number == 0 && rules.contains(&Rule::IgnoreEmpty)))
                .and_then(|number| broken_bound(rules, number as f64, "")),
            _ => None,
        };
        let Some(problem) = problem else { return };
        let shown: String = value.text().chars().take(40).collect();
        let text = match shown.is_empty() {
            true => format!("`{}` {problem}; Envoy refuses it empty", entry.key),
            false => format!("`{}` {problem}; Envoy refuses {shown}", entry.key),
        };
        self.report(RuleId::InvalidValue, value.span(), text, None);
    }
}

/// Whether something is asked of a field: by its rules, or by an enum whose default is gone.
fn has_rules(field: &Field) -> bool {
    let gone = |number| schema::choice(number).is_some_and(|choice| !choice.gone.is_empty());
    !field.rules.is_empty() || matches!(field.kind, FieldKind::Choice(number) if gone(number))
}

/// Where a message begins, for findings about what is not in it.
fn head(value: Value<'_>) -> crate::source::Span {
    match value.fields().next() {
        Some(first) => first.key_span,
        None => value.span(),
    }
}

/// Whether a scalar that is not written, and so zero or empty, breaks a rule.
fn breaks_zero(field: &Field, rule: &Rule) -> bool {
    match (field.kind, rule) {
        (FieldKind::Text, Rule::MinLen(least))
        | (FieldKind::Text | FieldKind::Bytes, Rule::MinBytes(least)) => *least > 0,
        (FieldKind::Text, Rule::Prefix(_) | Rule::Suffix(_)) => true,
        (FieldKind::Text, Rule::OneOf(values)) => !values.contains(&""),
        (FieldKind::Bool, Rule::Const(flag)) => *flag,
        (FieldKind::Choice(_), Rule::NotIn(numbers)) => numbers.contains(&0),
        (FieldKind::Duration, _) => false,
        (_, Rule::Gt(bound)) => *bound >= 0.0,
        (_, Rule::Gte(bound)) => *bound > 0.0,
        _ => false,
    }
}

fn broken_text(rules: &[Rule], text: &str) -> Option<String> {
    if text.is_empty() && rules.contains(&Rule::IgnoreEmpty) {
        return None;
    }
    let strict = !rules.contains(&Rule::Lenient);
    rules.iter().find_map(|rule| match rule {
        Rule::MinLen(least) if (text.chars().count() as u64) < *least => {
            Some(format!("must have at least {least} characters"))
        }
        Rule::MinBytes(least) if (text.len() as u64) < *least => {
            Some(format!("must have at least {least} bytes"))
        }
        Rule::MaxLen(most) if text.chars().count() as u64 > *most => {
            Some(format!("may have at most {most} characters"))
        }
        Rule::MaxBytes(most) if text.len() as u64 > *most => Some(format!("may have at most {most} bytes")),
        Rule::Prefix(prefix) if !text.starts_with(prefix) => Some(format!("must start with `{prefix}`")),
        Rule::Suffix(suffix) if !text.ends_with(suffix) => Some(format!("must end with `{suffix}`")),
        Rule::OneOf(values) if !values.contains(&text) => {
            Some(format!("must be one of {}", values.join(", ")))
        }
        Rule::Pattern(pattern) if !pattern::matches(pattern, text) => {
            Some(format!("must match the pattern `{pattern}`"))
        }
        Rule::HeaderName if !is_header_name(text, strict) => Some("must be a header name".to_owned()),
        Rule::HeaderValue if !is_header_value(text, strict) => {
            Some("must not contain control characters".to_owned())
        }
        _ => None,
    })
}

fn is_header_name(text: &str, strict: bool) -> bool {
    if !strict {
        return !text.contains(['\0', '\n', '\r']);
    }
    let name = text.strip_prefix(':').unwrap_or(text);
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+,-.^_|~`".contains(&byte);
    !name.is_empty() && name.bytes().all(token)
}

fn is_header_value(text: &str, strict: bool) -> bool {
    match strict {
        true => text.bytes().all(|byte| byte == b'\t' || (byte >= 0x20 && byte != 0x7f)),
        false => !text.contains(['\0', '\n', '\r']),
    }
}

fn broken_choice(number: u16, rules: &[Rule], value: Value<'_>) -> Option<String> {
    let choice = schema::choice(number)?;
    let by_name = value.string().and_then(|text| choice.number(text)).map(i128::from);
    let number = by_name.or_else(|| value.integer())?;
    rules.iter().find_map(|rule| match rule {
        Rule::Defined if !choice.has(number) => {
            Some(format!("must be a value of {}", schema::short(choice.name)))
        }
        Rule::NotIn(numbers) if numbers.iter().any(|known| i128::from(*known) == number) => {
            Some("has a value that is not allowed here".to_owned())
        }
        _ => None,
    })
}

fn broken_bound(rules: &[Rule], number: f64, unit: &str) -> Option<String> {
    rules.iter().find_map(|rule| match rule {
        Rule::Gt(bound) if number <= *bound => Some(format!("must be greater than {bound}{unit}")),
        Rule::Gte(bound) if number < *bound => Some(format!("must be at least {bound}{unit}")),
        Rule::Lt(bound) if number >= *bound => Some(format!("must be less than {bound}{unit}")),
        Rule::Lte(bound) if number > *bound => Some(format!("must be at most {bound}{unit}")),
        _ => None,
    })
}
