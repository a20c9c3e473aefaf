//! Conditions, judged for one request.

use std::net::IpAddr;

use super::pattern::{Engine, Patterns};
use super::seen::{Seen, Value};
use super::truth::Truth;
use crate::dialect::Dialect;
use crate::model::{Condition, Match, TextMatch};

/// Why a condition is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Reason {
    /// Something of the request is not known; a part of a sentence: "the client's address is not given".
    Request(String),
    /// The configuration decides by something that is not in it; in the dialect's words.
    Opaque(String),
    /// A regular expression that lbcheck does not evaluate, and why.
    Pattern(String, &'static str),
    /// It is drawn by lot.
    Chance,
}

/// Judges conditions; remembers why they are not known.
pub(super) struct Judge<'p> {
    patterns: &'p mut Patterns,
    /// Why the last condition is not known.
    pub(super) reasons: Vec<Reason>,
}

/// Most reasons that are kept for one condition.
const MAX_REASONS: usize = 8;

impl<'p> Judge<'p> {
    pub(super) fn new(patterns: &'p mut Patterns) -> Self {
        Self { patterns, reasons: Vec::new() }
    }

    /// Whether `condition` holds. Conditions are at most a few levels deep, see [`Condition`].
    pub(super) fn holds(&mut self, condition: &Condition, seen: &Seen) -> Truth {
        self.reasons.clear();
        self.judge(condition, seen)
    }

    /// The expressions compiled so far.
    pub(super) fn patterns(&mut self) -> &mut Patterns {
        self.patterns
    }

    /// The one draw that a condition which is not known depends on, and whether the condition holds with it or
    /// against it. `None`: it depends on something else, or on more.
    pub(super) fn lone_draw<'c>(
        &mut self,
        condition: &'c Condition,
        seen: &Seen,
    ) -> Option<(&'c Condition, bool)> {
        match condition {
            Condition::Chance(_) => Some((condition, true)),
            Condition::Not(inner) => self.lone_draw(inner, seen).map(|(draw, positive)| (draw, !positive)),
            Condition::All(parts) | Condition::Any(parts) => {
                let mut open = parts.iter().filter(|part| self.judge(part, seen) == Truth::Unknown);
                let (only, None) = (open.next()?, open.next()) else { return None };
                self.lone_draw(only, seen)
            }
            _ => None,
        }
    }

    fn judge(&mut self, condition: &Condition, seen: &Seen) -> Truth {
        let before = self.reasons.len();
        let truth = match condition {
            Condition::Always => Truth::Yes,
            Condition::Never => Truth::No,
            Condition::Not(inner) => self.judge(inner, seen).negated(),
            Condition::All(all) => {
                let mut truth = Truth::Yes;
                for part in all {
                    truth = truth.and(self.judge(part, seen));
                    if truth == Truth::No {
                        break;
                    }
                }
                truth
            }
            Condition::Any(any) => {
                let mut truth = Truth::No;
                for part in any {
                    truth = truth.or(self.judge(part, seen));
                    if truth == Truth::Yes {
                        break;
                    }
                }
                truth
            }
            Condition::Is(test) => self.property(test, seen),
            Condition::Chance(0) => Truth::No,
            Condition::Chance(share) if *share >= 1_000_000 => Truth::Yes,
            Condition::Chance(_) => self.unknown(Reason::Chance),
            Condition::Opaque(text) => self.unknown(Reason::Opaque(text.clone())),
        };
        if truth != Truth::Unknown {
            self.reasons.truncate(before);
        }
        truth
    }

    fn unknown(&mut self, reason: Reason) -> Truth {
        if self.reasons.len() < MAX_REASONS && !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
        Truth::Unknown
    }

    fn property(&mut self, test: &Match, seen: &Seen) -> Truth {
        match test {
            Match::Host(pattern) => self.host(pattern, seen),
            Match::HostName(pattern) => self.text(pattern, seen.host_name(), seen),
            Match::Sni(pattern) => self.text(pattern, seen.sni(), seen),
            Match::Path(pattern) => self.text(pattern, seen.path.clone(), seen),
            Match::Method(pattern) => self.text(pattern, seen.method(), seen),
            Match::Header(name, pattern) => self.text(pattern, seen.header(name), seen),
            Match::HeaderLine(name, pattern) => self.text(pattern, seen.header_lines(name), seen),
            Match::Target(pattern) => self.text(pattern, seen.target(), seen),
            Match::Query(name, pattern) => self.text(pattern, seen.parameter(name), seen),
            Match::Cookie(name, pattern) => self.text(pattern, seen.cookie(name), seen),
            Match::Source(network) => match seen.source() {
                Some(address) => match contains(network, address) {
                    Some(inside) => Truth::of(inside),
                    None => self.unknown(Reason::Opaque(format!("client in {network}"))),
                },
                None => self.unknown(Reason::Request(seen.no_source().to_owned())),
            },
            Match::Port(port) => match seen.port() {
                Some(known) => Truth::of(known == *port),
                None => self.unknown(Reason::Request("the port is not given".to_owned())),
            },
            Match::Tls => match seen.tls() {
                Some(tls) => Truth::of(tls),
                None => self.unknown(Reason::Request("whether it comes over TLS is not given".to_owned())),
            },
        }
    }

    fn host(&mut self, pattern: &TextMatch, seen: &Seen) -> Truth {
        let host = seen.host();
        // What stands for the star of a domain of Envoy is never empty.
        if let (Dialect::Envoy, TextMatch::Suffix(wanted) | TextMatch::Prefix(wanted), Value::Known(hosts)) =
            (seen.dialect(), pattern, &host)
            && hosts.iter().all(|host| host.len() <= wanted.len())
        {
            return Truth::No;
        }
        self.text(pattern, host, seen)
    }

    fn text(&mut self, pattern: &TextMatch, value: Value, seen: &Seen) -> Truth {
        match value {
            Value::Known(values) => {
                let mut truth = Truth::No;
                for value in values {
                    truth = truth.or(self.one(pattern, &value, false, seen.dialect()));
                    if truth == Truth::Yes {
                        break;
                    }
                }
                truth
            }
            Value::Unknown(why) => self.unknown(Reason::Request(why)),
        }
    }

    fn one(&mut self, pattern: &TextMatch, value: &[u8], any_case: bool, dialect: Dialect) -> Truth {
        let same = |a: &[u8], b: &[u8]| if any_case { a.eq_ignore_ascii_case(b) } else { a == b };
        Truth::of(match pattern {
            TextMatch::Exact(wanted) => same(value, wanted.as_bytes()),
            TextMatch::Prefix(wanted) => {
                value.get(..wanted.len()).is_some_and(|start| same(start, wanted.as_bytes()))
            }
            TextMatch::Suffix(wanted) => {
                let end = value.len().checked_sub(wanted.len()).and_then(|at| value.get(at..));
                end.is_some_and(|end| same(end, wanted.as_bytes()))
            }
            TextMatch::Contains(wanted) => contains_text(value, wanted.as_bytes(), any_case),
            TextMatch::SegmentPrefix(wanted) => {
                let wanted = wanted.trim_end_matches('/').as_bytes();
                let starts = value.get(..wanted.len()).is_some_and(|start| same(start, wanted));
                starts && value.get(wanted.len()).is_none_or(|next| *next == b'/')
            }
            TextMatch::Between(from, to) => {
                let number = std::str::from_utf8(value).ok().and_then(|text| text.parse::<i64>().ok());
                number.is_some_and(|number| *from <= number && number < *to)
            }
            // To nginx an empty variable is none.
            TextMatch::Present => dialect != Dialect::Nginx || !value.is_empty(),
            TextMatch::Regex(text) => return self.regex(text, value, any_case, dialect),
            // Readers never nest this, and a second level would change nothing.
            TextMatch::IgnoreCase(inner) => match inner.as_ref() {
                TextMatch::IgnoreCase(_) => return self.unknown(Reason::Opaque("case".to_owned())),
                inner => return self.one(inner, value, true, dialect),
            },
        })
    }

    fn regex(&mut self, text: &str, value: &[u8], any_case: bool, dialect: Dialect) -> Truth {
        let engine = match dialect {
            Dialect::HaProxy | Dialect::Nginx => Engine::Pcre,
            Dialect::Envoy => Engine::Re2Full,
        };
        match self.patterns.get(engine, any_case, text).and_then(|pattern| pattern.matches(value)) {
            Ok(matches) => Truth::of(matches),
            Err(why) => self.unknown(Reason::Pattern(text.to_owned(), why)),
        }
    }
}

fn contains_text(value: &[u8], wanted: &[u8], any_case: bool) -> bool {
    if wanted.is_empty() {
        return true;
    }
    let same = |window: &[u8]| if any_case { window.eq_ignore_ascii_case(wanted) } else { window == wanted };
    value.windows(wanted.len()).any(same)
}

/// Whether an address is in a network in CIDR notation, or is that address. `None`: it is neither.
pub(super) fn contains(network: &str, address: IpAddr) -> Option<bool> {
    let (base, bits): (IpAddr, u32) = match network.split_once('/') {
        Some((base, bits)) => (base.parse().ok()?, bits.parse().ok()?),
        None => {
            let single: IpAddr = network.parse().ok()?;
            (single, if single.is_ipv4() { 32 } else { 128 })
        }
    };
    let mapped = |address: IpAddr| match address {
        IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    Some(match (base, mapped(address)) {
        (IpAddr::V4(base), IpAddr::V4(ip)) => {
            let mask = u32::MAX.checked_shl(32u32.checked_sub(bits)?).unwrap_or(0);
            u32::from(base) & mask == u32::from(ip) & mask
        }
        (IpAddr::V6(base), IpAddr::V6(ip)) => {
            let mask = u128::MAX.checked_shl(128u32.checked_sub(bits)?).unwrap_or(0);
            u128::from(base) & mask == u128::from(ip) & mask
        }
        _ => false,
    })
}
