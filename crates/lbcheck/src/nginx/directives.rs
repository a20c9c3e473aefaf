//! What a directive of the table says, and how it is looked up.

use crate::dialect::Version;

/// A set of contexts, one bit each.
pub(super) type Contexts = u32;

/// Top level of the main file.
pub(super) const M: Contexts = 1;
/// `events`.
pub(super) const EV: Contexts = 1 << 1;
/// `http`.
pub(super) const H: Contexts = 1 << 2;
/// `server` of `http`.
pub(super) const S: Contexts = 1 << 3;
/// `location`.
pub(super) const L: Contexts = 1 << 4;
/// `if` directly in a `server`.
pub(super) const SIF: Contexts = 1 << 5;
/// `if` in a `location`.
pub(super) const LIF: Contexts = 1 << 6;
/// `limit_except`.
pub(super) const LMT: Contexts = 1 << 7;
/// `upstream` of `http`.
pub(super) const UP: Contexts = 1 << 8;
/// `stream`.
pub(super) const T: Contexts = 1 << 9;
/// `server` of `stream`.
pub(super) const TS: Contexts = 1 << 10;
/// `upstream` of `stream`.
pub(super) const TU: Contexts = 1 << 11;
/// `mail`.
pub(super) const ML: Contexts = 1 << 12;
/// `server` of `mail`.
pub(super) const MS: Contexts = 1 << 13;
/// `oidc_provider`.
pub(super) const OIDC: Contexts = 1 << 14;
/// `mgmt`.
pub(super) const MGMT: Contexts = 1 << 15;
/// Blocks whose lines are data, not directives: `map`, `geo`, `types`.
pub(super) const DATA: Contexts = 1 << 16;
/// Blocks whose language is not known here: those of other modules, and of unknown directives.
pub(super) const OTHER: Contexts = 1 << 17;

/// Who makes the module of a directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vendor {
    Nginx,
    Plus,
    Third,
}

/// How nginx reads the value, as far as it refuses some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueKind {
    /// By code of its own.
    Any,
    /// `on` or `off`, once a block.
    Flag,
    /// `on` or `off`.
    FlagMany,
    /// Any text, once a block.
    Text,
    /// A number, once a block.
    Number,
    /// A number within bounds, once a block.
    Between(i64, i64),
    /// A size such as `8k`, once a block.
    Size,
    /// A size that may be given in `g`, once a block.
    Offset,
    /// A time in milliseconds or with units, once a block.
    Millis,
    /// A time in seconds or with units, once a block.
    Seconds,
    /// Number and size of buffers, once a block.
    Buffers,
    /// Anything, once a block.
    Once,
    /// One of these words, once a block.
    Enum(&'static [&'static str]),
    /// Any of these words.
    Bits(&'static [&'static str]),
}

/// How many arguments a directive takes, and whether a block follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arity {
    /// Bit `n` is set where `n` arguments are allowed; the last bit stands for all above, too.
    counts: u16,
    /// Whether it opens a block.
    pub(super) block: bool,
}

impl Arity {
    /// Reads `1`, `1-2`, `1,3`, `1+`, each with ` {` for a block.
    const fn parse(text: &str) -> Self {
        let bytes = text.as_bytes();
        let (mut counts, mut block, mut last, mut range) = (0u16, false, 0u32, false);
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at] {
                digit @ b'0'..=b'9' => {
                    let number = (digit - b'0') as u32;
                    let mut from = if range { last } else { number };
                    while from <= number {
                        counts |= 1 << from;
                        from += 1;
                    }
                    last = number;
                    range = false;
                }
                b'-' => range = true,
                b'+' => counts |= u16::MAX << last,
                b'{' => block = true,
                _ => {}
            }
            at += 1;
        }
        Self { counts, block }
    }

    /// Whether `count` arguments are allowed.
    pub(super) fn allows(self, count: usize) -> bool {
        self.counts >> count.min(15) & 1 == 1
    }

    /// The numbers allowed, in words.
    pub(super) fn describe(self) -> String {
        let allowed: Vec<u32> = (0..16).filter(|&n| self.counts >> n & 1 == 1).collect();
        let plural = |n: u32| if n == 1 { "1 argument".to_owned() } else { format!("{n} arguments") };
        match (allowed.first(), allowed.last()) {
            (Some(0), Some(0)) => "no arguments".to_owned(),
            (Some(0), Some(15)) => "any number of arguments".to_owned(),
            (Some(&first), Some(15)) => format!("at least {}", plural(first)),
            (Some(&first), Some(&last)) if first == last => plural(first),
            (Some(&first), Some(&last)) if (last - first) as usize + 1 == allowed.len() => {
                format!("{first} to {last} arguments")
            }
            _ => {
                let numbers: Vec<String> = allowed.iter().map(u32::to_string).collect();
                format!("{} arguments", numbers.join(" or "))
            }
        }
    }
}

/// One directive of one module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Directive {
    pub(super) name: &'static str,
    /// Module, without `ngx_` and `_module`.
    pub(super) module: &'static str,
    pub(super) contexts: Contexts,
    pub(super) arity: Arity,
    pub(super) value: ValueKind,
    pub(super) vendor: Vendor,
    /// The version it appeared in, where that is later than the oldest version looked at (1.18).
    pub(super) since: Option<Version>,
    /// The first version without it.
    pub(super) until: Option<Version>,
    /// The first version that warns of it, and what to write instead.
    pub(super) deprecated: Option<(Version, &'static str)>,
}

impl Directive {
    const fn new(
        vendor: Vendor,
        name: &'static str,
        module: &'static str,
        contexts: Contexts,
        arity: &'static str,
        value: ValueKind,
    ) -> Self {
        let arity = Arity::parse(arity);
        Self { name, module, contexts, arity, value, vendor, since: None, until: None, deprecated: None }
    }

    /// Appeared in `1.minor.patch`.
    pub(super) const fn since(mut self, minor: u16, patch: u16) -> Self {
        self.since = Some(Version { major: 1, minor, patch });
        self
    }

    /// Is still taken, with a warning, since `1.minor.patch`.
    pub(super) const fn deprecated(mut self, minor: u16, patch: u16, instead: &'static str) -> Self {
        self.deprecated = Some((Version { major: 1, minor, patch }, instead));
        self
    }

    /// Was removed in `1.minor.patch`.
    pub(super) const fn until(mut self, minor: u16, patch: u16) -> Self {
        self.until = Some(Version { major: 1, minor, patch });
        self
    }
}

/// A directive of nginx itself.
pub(super) const fn n(
    name: &'static str,
    module: &'static str,
    contexts: Contexts,
    arity: &'static str,
    value: ValueKind,
) -> Directive {
    Directive::new(Vendor::Nginx, name, module, contexts, arity, value)
}

/// A directive of the commercial edition.
pub(super) const fn p(
    name: &'static str,
    module: &'static str,
    contexts: Contexts,
    arity: &'static str,
    value: ValueKind,
) -> Directive {
    Directive::new(Vendor::Plus, name, module, contexts, arity, value)
}

/// A directive of a third-party module.
pub(super) const fn t(
    name: &'static str,
    module: &'static str,
    contexts: Contexts,
    arity: &'static str,
    value: ValueKind,
) -> Directive {
    Directive::new(Vendor::Third, name, module, contexts, arity, value)
}

/// Every line of the table for a name; empty where the name is unknown.
pub(super) fn lookup(name: &str) -> &'static [Directive] {
    let table = super::table::TABLE;
    let from = table.partition_point(|entry| entry.name < name);
    let rest = table.get(from..).unwrap_or_default();
    let count = rest.iter().take_while(|entry| entry.name == name).count();
    rest.get(..count).unwrap_or_default()
}

/// The names valid in a context, for suggestions.
pub(super) fn names_in(context: Contexts) -> impl Iterator<Item = &'static str> {
    let mut last = "";
    super::table::TABLE.iter().filter(move |entry| entry.contexts & context != 0).filter_map(move |entry| {
        let new = entry.name != last;
        last = entry.name;
        new.then_some(entry.name)
    })
}

/// The context inside the block of directive `name`, which stands in `context`.
pub(super) fn inside(name: &str, context: Contexts) -> Contexts {
    match (name, context) {
        ("events", M) => EV,
        ("http", M) => H,
        ("stream", M) => T,
        ("mail", M) => ML,
        ("mgmt", M) => MGMT,
        ("server", H) => S,
        ("server", T) => TS,
        ("server", ML) => MS,
        ("upstream", H) => UP,
        ("upstream", T) => TU,
        ("location", S | L) => L,
        ("if", S) => SIF,
        ("if", L) => LIF,
        ("limit_except", L) => LMT,
        ("oidc_provider", H) => OIDC,
        ("map" | "geo" | "split_clients" | "types" | "charset_map" | "match" | "num_map", _) => DATA,
        _ => OTHER,
    }
}

/// A context in words, for messages.
pub(super) fn describe(context: Contexts) -> &'static str {
    match context {
        M => "the top level",
        EV => "`events`",
        H => "`http`",
        S => "`server`",
        L => "`location`",
        SIF => "`if` in `server`",
        LIF => "`if` in `location`",
        LMT => "`limit_except`",
        UP => "`upstream`",
        T => "`stream`",
        TS => "`server` of `stream`",
        TU => "`upstream` of `stream`",
        ML => "`mail`",
        MS => "`server` of `mail`",
        OIDC => "`oidc_provider`",
        MGMT => "`mgmt`",
        _ => "this block",
    }
}

/// Every single context of a set, in words.
pub(super) fn describe_all(contexts: Contexts) -> String {
    let mut names: Vec<&str> =
        (0..16).map(|bit| 1 << bit).filter(|bit| contexts & bit != 0).map(describe).collect();
    names.dedup();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nginx::table::TABLE;

    #[test]
    fn the_table_is_sorted_and_every_line_can_hold_somewhere() {
        for pair in TABLE.windows(2) {
            assert!(pair[0].name <= pair[1].name, "{} before {}", pair[0].name, pair[1].name);
        }
        for entry in TABLE {
            assert!(entry.contexts != 0 && entry.arity.counts != 0, "{}", entry.name);
        }
    }

    #[test]
    fn arity_reads_all_forms() {
        assert!(Arity::parse("1").allows(1) && !Arity::parse("1").allows(2));
        assert!(Arity::parse("1-3").allows(3) && !Arity::parse("1-3").allows(4));
        assert!(Arity::parse("2+").allows(99) && !Arity::parse("2+").allows(1));
        assert!(Arity::parse("0 {").block);
        assert_eq!(Arity::parse("1,3").describe(), "1 or 3 arguments");
        assert_eq!(Arity::parse("1+").describe(), "at least 1 argument");
    }

    #[test]
    fn a_name_may_have_several_lines() {
        assert_eq!(lookup("server").len(), 5);
        assert!(lookup("srever").is_empty());
        assert_eq!(inside("server", T), TS);
    }
}
