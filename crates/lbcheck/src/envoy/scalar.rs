//! The type of a plain scalar, as Envoy's YAML loader sees it.

/// A scalar with its type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scalar<'t> {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number that fits 32 bits; longer ones travel as text.
    Int(i64),
    /// A string.
    Text(&'t str),
}

const TRUE: [&str; 4] = ["y", "yes", "true", "on"];
const FALSE: [&str; 4] = ["n", "no", "false", "off"];

/// Types a plain scalar: booleans first, then whole numbers, and text for the rest.
pub(crate) fn typed(text: &str) -> Scalar<'_> {
    if is_null(text) {
        return Scalar::Null;
    }
    if let Some(value) = boolean(text) {
        return Scalar::Bool(value);
    }
    match integer(text) {
        Some(value) if i32::try_from(value).is_ok() => Scalar::Int(value),
        _ => Scalar::Text(text),
    }
}

/// Whether a plain scalar stands for nothing.
pub(crate) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// The yaml-cpp truth words, in lower case, upper case or capitalised; `yEs` is text.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    let word = |words: [&str; 4]| words.into_iter().any(|word| text.eq_ignore_ascii_case(word));
    if text.len() > 5 || !one_case(text) {
        return None;
    }
    if word(TRUE) {
        Some(true)
    } else if word(FALSE) {
        Some(false)
    } else {
        None
    }
}

fn one_case(text: &str) -> bool {
    let rest = text.get(1..).unwrap_or_default();
    let lower = rest.bytes().all(|byte| byte.is_ascii_lowercase());
    let upper = rest.bytes().all(|byte| byte.is_ascii_uppercase());
    let first_upper = text.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase());
    lower || (upper && first_upper)
}

/// A whole number as a C++ stream without a fixed base reads it: `0x1f`, `017`, `-3`, `+3`.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (radix, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => (16, hex),
        None if digits.len() > 1 && digits.starts_with('0') => (8, digits.get(1..)?),
        None => (10, digits),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| char::from(byte).is_digit(radix)) {
        return None;
    }
    let magnitude = i64::from_str_radix(digits, radix).ok()?;
    Some(if negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_are_typed_as_envoy_types_them() {
        let cases = [
            ("yes", Scalar::Bool(true)),
            ("YES", Scalar::Bool(true)),
            ("Off", Scalar::Bool(false)),
            ("n", Scalar::Bool(false)),
            ("yEs", Scalar::Text("yEs")),
            ("truE", Scalar::Text("truE")),
            ("0x1F", Scalar::Int(31)),
            ("017", Scalar::Int(15)),
            ("08", Scalar::Text("08")),
            ("-3", Scalar::Int(-3)),
            ("+3", Scalar::Int(3)),
            ("2147483647", Scalar::Int(2_147_483_647)),
            ("2147483648", Scalar::Text("2147483648")),
            ("1.5", Scalar::Text("1.5")),
            ("0", Scalar::Int(0)),
            ("0x", Scalar::Text("0x")),
            ("-", Scalar::Text("-")),
            ("~", Scalar::Null),
            ("", Scalar::Null),
        ];
        for (text, expected) in cases {
            assert_eq!(typed(text), expected, "{text:?}");
        }
    }
}
