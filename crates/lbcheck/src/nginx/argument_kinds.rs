//! The kinds of words that directives with code of their own take, and which texts are of a kind.

use std::net::Ipv6Addr;

use super::values;

/// What a word, or what stands behind the `=` of one, must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ArgumentKind {
    /// Anything.
    Text,
    /// Anything but nothing.
    Filled,
    /// A whole number.
    Number,
    /// A whole number from the first to the second; -1 is no limit.
    Within(i64, i64),
    /// A size above zero.
    SomeSize,
    /// A size that may be given in `g`.
    Offset,
    /// A time of which milliseconds count.
    Millis,
    /// A time above zero of which milliseconds count.
    SomeMillis,
    /// A time of whole seconds.
    Seconds,
    /// A time of whole seconds, or `max`.
    SecondsOrMax,
    /// `on` or `off`, in these letters.
    OnOff,
    /// One of these words.
    Of(&'static [&'static str]),
    /// `name:size` of shared memory, and the least number of bytes.
    Zone(u64),
    /// Requests per second or minute: `10r/s`.
    Rate,
    /// Depths of directories: `1:2`.
    Levels,
    /// Rights on a file: `user:rw`.
    Access,
    /// An address to bind to, or one with variables.
    Bind,
    /// The number of a degree a picture may be turned by, or a variable.
    Degrees,
    /// A length in a picture, or a variable.
    Length,
    /// The version of a browser.
    Browser,
}

impl ArgumentKind {
    /// Whether nginx takes the text for one of this kind.
    pub(super) fn fits(self, text: &str) -> bool {
        let number = |low: i64, high: i64| {
            let found = values::number(text).and_then(|number| i64::try_from(number).ok());
            found.is_some_and(|number| number >= low && (high == -1 || number <= high))
        };
        match self {
            Self::Text => true,
            Self::Filled => !text.is_empty(),
            Self::Number => number(0, -1),
            Self::Within(low, high) => number(low, high),
            Self::SomeSize => values::size(text, false).is_some_and(|size| size > 0),
            Self::Offset => values::size(text, true).is_some(),
            Self::Millis => values::time(text, true).is_some(),
            Self::SomeMillis => values::time(text, true).is_some_and(|time| !time.is_zero()),
            Self::Seconds => values::time(text, false).is_some(),
            Self::SecondsOrMax => text == "max" || values::time(text, false).is_some(),
            Self::OnOff => matches!(text, "on" | "off"),
            Self::Of(words) => words.contains(&text),
            Self::Zone(least) => {
                let Some((name, size)) = text.split_once(':') else { return false };
                !name.is_empty() && values::size(size, false).is_some_and(|size| size >= least)
            }
            Self::Rate => {
                let rate = text.strip_suffix("r/s").or(text.strip_suffix("r/m")).unwrap_or(text);
                values::number(rate).is_some_and(|rate| rate > 0)
            }
            Self::Levels => {
                let mut levels = text.split(':');
                text.is_empty()
                    || levels.clone().count() <= 3 && levels.all(|level| matches!(level, "1" | "2"))
            }
            Self::Access => access(text),
            Self::Bind => values::has_variable(text) || is_address(text),
            Self::Degrees => values::has_variable(text) || matches!(text, "90" | "180" | "270"),
            Self::Length => text == "-" || values::has_variable(text) || number(1, -1),
            Self::Browser => browser_version(text),
        }
    }

    /// What to write instead.
    pub(super) fn help(self) -> String {
        match self {
            Self::Text | Self::Filled => "write a value".to_owned(),
            Self::Number => "write a whole number".to_owned(),
            Self::Within(low, -1) => format!("write a whole number from {low}"),
            Self::Within(low, high) => format!("write a whole number from {low} to {high}"),
            Self::SomeSize => "write a size such as `8k` or `1m`".to_owned(),
            Self::Offset => "write a size such as `8k`, `1m` or `2g`".to_owned(),
            Self::Millis | Self::SomeMillis => "write a time such as `500ms`, `30s` or `1h30m`".to_owned(),
            Self::Seconds => "write a time such as `30s` or `1h30m`, in whole seconds".to_owned(),
            Self::SecondsOrMax => "write `max`, or a time such as `1h` or `30d`".to_owned(),
            Self::OnOff => "write `on` or `off`".to_owned(),
            Self::Of(words) => format!("write one of: {}", words.join(", ")),
            Self::Zone(least) => {
                format!("write a name, `:` and a size of at least {}k: `main:10m`", least.div_ceil(1024))
            }
            Self::Rate => "write a rate such as `10r/s` or `30r/m`".to_owned(),
            Self::Levels => "write up to three levels of 1 or 2 letters, such as `1:2`".to_owned(),
            Self::Access => "write `user`, `group` or `all`, and `r` or `rw`, such as `group:rw`".to_owned(),
            Self::Bind => "write an IP address, with or without a port, or `off`".to_owned(),
            Self::Degrees => "write 90, 180 or 270".to_owned(),
            Self::Length => "write a length in pixels from 1, or `-`".to_owned(),
            Self::Browser => "write a version such as `4.0.1`".to_owned(),
        }
    }
}

fn access(text: &str) -> bool {
    let Some((who, rights)) = text.split_once(':') else { return false };
    matches!(who, "user" | "group" | "all") && matches!(rights, "r" | "rw")
}

/// An IP address, with a port or without; names are not looked up here.
fn is_address(text: &str) -> bool {
    let port = |text: &str| values::parse_port(text).is_ok();
    if let Some(rest) = text.strip_prefix('[') {
        let Some((ip, rest)) = rest.split_once(']') else { return false };
        return ip.parse::<Ipv6Addr>().is_ok()
            && (rest.is_empty() || rest.strip_prefix(':').is_some_and(port));
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return true;
    }
    let (ip, number) = text.split_once(':').map_or((text, None), |(ip, number)| (ip, Some(number)));
    values::ipv4(ip).is_some() && number.is_none_or(port)
}

/// Digits with up to three dots between them.
fn browser_version(text: &str) -> bool {
    // An empty one and lonely dots are versions, too.
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nginx_takes_and_refuses() {
        let zone = ArgumentKind::Zone(32 * 1024);
        for (kind, good, bad) in [
            (ArgumentKind::Within(1, 9), vec!["1", "9"], vec!["0", "10", "", "x", "-1"]),
            (ArgumentKind::Rate, vec!["10r/s", "30r/m", "5"], vec!["0r/s", "10r/h", "r/s", "1.5r/s"]),
            (ArgumentKind::Levels, vec!["1", "1:2", "2:2:2", ""], vec!["3", "1:", "1:1:1:1"]),
            (ArgumentKind::Access, vec!["user:rw", "all:r"], vec!["user", "usr:r", "user:x", "all::r"]),
            (zone, vec!["a:32k", "a:10m"], vec!["a", "a:", "a:1k", ":32k", "a:10x"]),
            (
                ArgumentKind::Bind,
                vec!["10.0.0.1", "10.0.0.1:80", "[::1]", "$x"],
                vec!["transparent", "a.b", "10.0.0"],
            ),
            (ArgumentKind::SecondsOrMax, vec!["max", "1h"], vec!["", "1ms", "never"]),
        ] {
            for text in good {
                assert!(kind.fits(text), "{kind:?} {text}");
            }
            for text in bad {
                assert!(!kind.fits(text), "{kind:?} {text}");
            }
        }
    }
}
