//! Text from outside, made safe to print.

use std::borrow::Cow;

/// `text` with every character that could move the cursor, start an escape sequence or reorder what is shown
/// replaced by one visible character. Columns stay.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(|letter| visible(letter) == letter) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(visible).collect())
}

/// `letter`, or what stands for it.
pub(crate) fn visible(letter: char) -> char {
    let code = letter as u32;
    match code {
        // The control pictures mirror the control characters in order.
        0x00..=0x1F => char::from_u32(0x2400 + code).unwrap_or('\u{FFFD}'),
        0x7F => '\u{2421}',
        // C1 controls: some terminals take U+009B as the start of an escape sequence.
        0x80..=0x9F
        // Marks, embeddings, overrides and isolates of text direction.
        | 0x061C | 0x200E | 0x200F | 0x202A..=0x202E | 0x2066..=0x2069
        // Nothing to see: zero-width space, word joiner and its kin, byte order mark, soft hyphen.
        | 0x00AD | 0x200B | 0x2060..=0x2065 | 0xFEFF
        // Line and paragraph separators.
        | 0x2028 | 0x2029
        // Interlinear annotations and tags, which carry text that is not shown.
        | 0xFFF9..=0xFFFB | 0xE0000..=0xE007F => '\u{FFFD}',
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_invisible_or_active_passes() {
        assert_eq!(clean("\u{1b}[31mred\r\n"), "␛[31mred␍␊");
        assert_eq!(clean("a\u{202e}b\u{9b}c\u{7f}"), "a\u{fffd}b\u{fffd}c␡");
        assert_eq!(clean("tag\u{e0041}"), "tag\u{fffd}");
    }

    #[test]
    fn ordinary_text_of_any_script_is_left_alone() {
        for text in ["backend api", "größe", "日本語", "שרת", "👩‍👩‍👧"] {
            assert!(matches!(clean(text), Cow::Borrowed(_)), "{text}");
        }
    }
}
