//! Values read as protobuf's JSON reader reads them: leniently.

use std::time::Duration;

use crate::source::Span;

use super::scalar::Scalar;
use super::tree::{Field, Value};

impl<'t> Value<'t> {
    /// The field of this protobuf name, in its own or its camelCase spelling. A null counts as absent.
    pub(crate) fn field(self, name: &str) -> Option<Field<'t>> {
        self.fields().find(|field| spells(field.key, name) && !field.value.is_null())
    }

    /// The value of a field.
    pub(crate) fn get(self, name: &str) -> Option<Value<'t>> {
        self.field(name).map(|field| field.value)
    }

    /// A value several fields down.
    pub(crate) fn path(self, names: &[&str]) -> Option<Value<'t>> {
        names.iter().try_fold(self, |value, name| value.get(name))
    }

    /// The values of a repeated field.
    pub(crate) fn list(self, name: &str) -> impl Iterator<Item = Value<'t>> {
        self.get(name).into_iter().flat_map(Value::items)
    }

    /// The `@type` of an `Any`: the message name after the last slash.
    pub(crate) fn type_name(self) -> Option<&'t str> {
        let url = self.fields().find(|field| field.key == "@type")?.value.text();
        Some(url.rsplit('/').next().unwrap_or(url))
    }

    /// A string field. Numbers and booleans are not strings to protobuf.
    pub(crate) fn string(self) -> Option<&'t str> {
        match self.scalar()? {
            Scalar::Text(text) => Some(text),
            Scalar::Null | Scalar::Bool(_) | Scalar::Int(_) => None,
        }
    }

    /// A string field's text, if the field is there and is a string.
    pub(crate) fn text_of(self, name: &str) -> Option<&'t str> {
        self.get(name)?.string()
    }

    /// A boolean, also as a `BoolValue`.
    pub(crate) fn boolean(self) -> Option<bool> {
        match self.unwrapped().scalar()? {
            Scalar::Bool(value) => Some(value),
            Scalar::Text(text) => text_boolean(text),
            Scalar::Null | Scalar::Int(_) => None,
        }
    }

    /// A whole number of any width, also as a wrapper message.
    pub(crate) fn integer(self) -> Option<i128> {
        match self.unwrapped().scalar()? {
            Scalar::Int(value) => Some(value.into()),
            Scalar::Text(text) => text_integer(text),
            Scalar::Null | Scalar::Bool(_) => None,
        }
    }

    pub(crate) fn u32(self) -> Option<u32> {
        u32::try_from(self.integer()?).ok()
    }

    pub(crate) fn u64(self) -> Option<u64> {
        u64::try_from(self.integer()?).ok()
    }

    /// A number with a fraction, also as a wrapper or a percent message.
    pub(crate) fn number(self) -> Option<f64> {
        match self.unwrapped().scalar()? {
            Scalar::Int(value) => Some(value as f64),
            Scalar::Text(text) => text_number(text),
            Scalar::Null | Scalar::Bool(_) => None,
        }
    }

    /// A duration: `5s`, `0.25s` or `{seconds: 5, nanos: 0}`. A negative one is `None`.
    pub(crate) fn duration(self) -> Option<Duration> {
        let (seconds, nanos) = self.signed_duration()?;
        Some(Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanos).ok()?))
    }

    /// A duration as protobuf holds it.
    pub(crate) fn signed_duration(self) -> Option<(i64, i32)> {
        if self.is_map() {
            let part = |name| self.get(name).map_or(Some(0), Value::integer);
            return Some((i64::try_from(part("seconds")?).ok()?, i32::try_from(part("nanos")?).ok()?));
        }
        text_duration(self.string()?)
    }

    /// Whether a boolean field is there and true.
    pub(crate) fn is_set(self, name: &str) -> bool {
        self.get(name).and_then(Value::boolean) == Some(true)
    }

    /// Whether a boolean field is there and false.
    pub(crate) fn is_off(self, name: &str) -> bool {
        self.get(name).and_then(Value::boolean) == Some(false)
    }

    /// An enum value in upper case, from its name in any case or its number in `names`.
    pub(crate) fn enumeration(self, names: &[(&'static str, i64)]) -> Option<&'static str> {
        let by_number = |number: i128| names.iter().find(|(_, value)| i128::from(*value) == number);
        let found = match self.scalar()? {
            Scalar::Int(number) => by_number(number.into()),
            Scalar::Text(text) => names
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(text))
                .or_else(|| text_integer(text).and_then(by_number)),
            Scalar::Null | Scalar::Bool(_) => None,
        };
        found.map(|(name, _)| *name)
    }

    /// The value inside a wrapper message written in full (`{value: 3}`), or the value itself.
    fn unwrapped(self) -> Self {
        if self.is_map() { self.get("value").unwrap_or(self) } else { self }
    }

    /// A name with its place, for the model.
    pub(crate) fn spanned(self) -> Option<crate::source::Spanned<String>> {
        Some(crate::source::Spanned::new(self.string()?.to_owned(), self.span()))
    }

    /// The place of a field's value, or of this value when there is no such field.
    pub(crate) fn span_of(self, name: &str) -> Span {
        self.get(name).unwrap_or(self).span()
    }
}

/// Whether a key spells a protobuf field: as declared, or in camelCase.
pub(crate) fn spells(key: &str, name: &str) -> bool {
    if key == name {
        return true;
    }
    // Only a name of several words has another spelling.
    if !name.contains('_') || key.len() >= name.len() {
        return false;
    }
    let mut key = key.bytes();
    let mut upper = false;
    for byte in name.bytes() {
        if byte == b'_' {
            upper = true;
            continue;
        }
        let wanted = if upper { byte.to_ascii_uppercase() } else { byte };
        upper = false;
        if key.next() != Some(wanted) {
            return false;
        }
    }
    key.next().is_none()
}

/// A boolean written as a string.
pub(crate) fn text_boolean(text: &str) -> Option<bool> {
    let any = |words: [&str; 5]| words.into_iter().any(|word| text.eq_ignore_ascii_case(word));
    if any(["true", "t", "yes", "y", "1"]) {
        Some(true)
    } else if any(["false", "f", "no", "n", "0"]) {
        Some(false)
    } else {
        None
    }
}

/// A whole number written as a string: decimal, or hexadecimal, or with an exponent that leaves it whole.
pub(crate) fn text_integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let magnitude = if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        digits.parse::<i128>().ok()?
    } else {
        let number = text_number(digits)?;
        let whole = number.fract() == 0.0 && number.abs() < 1e19;
        whole.then_some(number as i128)?
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// A number written as a string.
pub(crate) fn text_number(text: &str) -> Option<f64> {
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(hex, 16).ok().map(|number| number as f64);
    }
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ if text.bytes().any(|byte| byte.is_ascii_digit())
            && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) =>
        {
            text.parse().ok()
        }
        _ => None,
    }
}

/// `5s`, `-0.25s`: digits, at most nine of a fraction, one `s`.
pub(crate) fn text_duration(text: &str) -> Option<(i64, i32)> {
    let number = text.strip_suffix('s')?;
    let (negative, number) = match number.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, number),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    let nanos: i32 = format!("{fraction:0<9}").parse().ok()?;
    Some(if negative { (-seconds, -nanos) } else { (seconds, nanos) })
}

/// The type inside a `TypedStruct`.
pub(crate) fn inner_type<'t>(config: Value<'t>, name: &'t str) -> &'t str {
    if !is_typed_struct(name) {
        return name;
    }
    let url = config.text_of("type_url").unwrap_or_default();
    url.rsplit('/').next().unwrap_or(url)
}

/// The settings inside a `TypedStruct`.
pub(crate) fn inner_value(config: Value<'_>) -> Value<'_> {
    match config.type_name() {
        Some(name) if is_typed_struct(name) => config.get("value").unwrap_or(config),
        _ => config,
    }
}

fn is_typed_struct(name: &str) -> bool {
    matches!(name, "xds.type.v3.TypedStruct" | "udpa.type.v1.TypedStruct")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_names_have_two_spellings() {
        assert!(spells("lb_policy", "lb_policy"));
        assert!(spells("lbPolicy", "lb_policy"));
        assert!(!spells("lbpolicy", "lb_policy"));
        assert!(!spells("LbPolicy", "lb_policy"));
        assert!(!spells("lbPolicyX", "lb_policy"));
    }

    #[test]
    fn durations_are_digits_and_one_s() {
        assert_eq!(text_duration("5s"), Some((5, 0)));
        assert_eq!(text_duration("0.25s"), Some((0, 250_000_000)));
        assert_eq!(text_duration("-1.5s"), Some((-1, -500_000_000)));
        for bad in ["5", "5ms", ".5s", " 5s", "s", "1.0000000001s", "5 s"] {
            assert_eq!(text_duration(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn numbers_may_be_strings() {
        assert_eq!(text_integer("10001"), Some(10001));
        assert_eq!(text_integer("1e3"), Some(1000));
        assert_eq!(text_integer("1.0"), Some(1));
        assert_eq!(text_integer("0x10"), Some(16));
        assert_eq!(text_integer("08"), Some(8));
        assert_eq!(text_integer("1.5"), None);
        assert_eq!(text_integer("1_000"), None);
        assert_eq!(text_integer(""), None);
    }
}
