//! Conditions, evaluated for one request.

use super::pattern::Patterns;
use super::value::Value;
use super::view::RequestView;
use crate::model::{Condition, Match, TextMatch};
use crate::network::Network;
use crate::truth::Truth;

/// Why a condition is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum WhyUnknown {
    /// Something of the request is not known; a part of a sentence: "the client's address is not given".
    Request(String),
    /// The configuration decides by something that is not in it; in the dialect's words.
    Opaque(String),
    /// A regular expression that lbcheck does not evaluate, and why.
    Pattern(String, &'static str),
    /// It is drawn by lot.
    Chance,
}

/// Evaluates conditions; remembers why they are not known.
pub(super) struct Evaluator<'p> {
    patterns: &'p mut Patterns,
    /// Why the last condition is not known.
    pub(super) reasons: Vec<WhyUnknown>,
}

/// Most reasons that are kept for one condition.
const MAX_REASONS: usize = 8;

impl<'p> Evaluator<'p> {
    pub(super) fn new(patterns: &'p mut Patterns) -> Self {
        Self { patterns, reasons: Vec::new() }
    }

    /// Whether `condition` holds. Conditions are at most a few levels deep, see [`Condition`].
    pub(super) fn holds(&mut self, condition: &Condition, view: &RequestView) -> Truth {
        self.reasons.clear();
        self.evaluate(condition, view)
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
        view: &RequestView,
    ) -> Option<(&'c Condition, bool)> {
        match condition {
            Condition::Chance(_) => Some((condition, true)),
            Condition::Not(inner) => self.lone_draw(inner, view).map(|(draw, positive)| (draw, !positive)),
            Condition::All(parts) | Condition::Any(parts) => {
                let mut open = parts.iter().filter(|part| self.evaluate(part, view) == Truth::Unknown);
                let (only, None) = (open.next()?, open.next()) else { return None };
                self.lone_draw(only, view)
            }
            _ => None,
        }
    }

    fn evaluate(&mut self, condition: &Condition, view: &RequestView) -> Truth {
        let before = self.reasons.len();
        let truth = match condition {
            Condition::Always => Truth::Yes,
            Condition::Never => Truth::No,
            Condition::Not(inner) => self.evaluate(inner, view).negated(),
            Condition::All(all) => {
                let mut truth = Truth::Yes;
                for part in all {
                    truth = truth.and(self.evaluate(part, view));
                    if truth == Truth::No {
                        break;
                    }
                }
                truth
            }
            Condition::Any(any) => {
                let mut truth = Truth::No;
                for part in any {
                    truth = truth.or(self.evaluate(part, view));
                    if truth == Truth::Yes {
                        break;
                    }
                }
                truth
            }
            Condition::Is(test) => self.property(test, view),
            Condition::Chance(0) => Truth::No,
            Condition::Chance(share) if *share >= 1_000_000 => Truth::Yes,
            Condition::Chance(_) => self.unknown(WhyUnknown::Chance),
            Condition::Opaque(text) => self.unknown(WhyUnknown::Opaque(text.clone())),
        };
        if truth != Truth::Unknown {
            self.reasons.truncate(before);
        }
        truth
    }

    fn unknown(&mut self, reason: WhyUnknown) -> Truth {
        if self.reasons.len() < MAX_REASONS && !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
        Truth::Unknown
    }

    fn property(&mut self, test: &Match, view: &RequestView) -> Truth {
        match test {
            Match::Host(pattern) => self.host(pattern, view),
            Match::HostName(pattern) => self.text(pattern, view.host_name(), view),
            Match::Sni(pattern) => self.text(pattern, view.sni(), view),
            Match::Path(pattern) => self.text(pattern, view.path.clone(), view),
            Match::Method(pattern) => self.text(pattern, view.method(), view),
            Match::Header(name, pattern) => self.text(pattern, view.header(name), view),
            Match::HeaderLine(name, pattern) => self.text(pattern, view.header_lines(name), view),
            Match::Target(pattern) => self.text(pattern, view.target(), view),
            Match::Query(name, pattern) => self.text(pattern, view.parameter(name), view),
            Match::Cookie(name, pattern) => self.text(pattern, view.cookie(name), view),
            Match::Source(network) => match view.request.source {
                Some(address) => match network.parse::<Network>() {
                    Ok(network) => Truth::of(network.contains(address)),
                    Err(_) => self.unknown(WhyUnknown::Opaque(format!("client in {network}"))),
                },
                None => self.unknown(WhyUnknown::Request(view.no_source().to_owned())),
            },
            Match::Port(port) => match view.request.port {
                Some(known) => Truth::of(known == *port),
                None => self.unknown(WhyUnknown::Request("the port is not given".to_owned())),
            },
            Match::Tls => match view.request.tls {
                Some(tls) => Truth::of(tls),
                None => {
                    self.unknown(WhyUnknown::Request("whether it comes over TLS is not given".to_owned()))
                }
            },
        }
    }

    fn host(&mut self, pattern: &TextMatch, view: &RequestView) -> Truth {
        let host = view.host();
        if let (TextMatch::Suffix(wanted) | TextMatch::Prefix(wanted), Value::Known(hosts)) = (pattern, &host)
            && !view.reader().star_may_be_empty()
            && hosts.iter().all(|host| host.len() <= wanted.len())
        {
            return Truth::No;
        }
        self.text(pattern, host, view)
    }

    fn text(&mut self, pattern: &TextMatch, value: Value, view: &RequestView) -> Truth {
        match value {
            Value::Known(values) => {
                let mut truth = Truth::No;
                for value in values {
                    truth = truth.or(self.one(pattern, &value, false, view));
                    if truth == Truth::Yes {
                        break;
                    }
                }
                truth
            }
            Value::Unknown(why) => self.unknown(WhyUnknown::Request(why)),
        }
    }

    fn one(&mut self, pattern: &TextMatch, value: &[u8], any_case: bool, view: &RequestView) -> Truth {
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
            TextMatch::Present => view.reader().empty_is_present() || !value.is_empty(),
            TextMatch::Regex(text) => return self.regex(text, value, any_case, view),
            // Readers never nest this, and a second level would change nothing.
            TextMatch::IgnoreCase(inner) => match inner.as_ref() {
                TextMatch::IgnoreCase(_) => return self.unknown(WhyUnknown::Opaque("case".to_owned())),
                inner => return self.one(inner, value, true, view),
            },
        })
    }

    fn regex(&mut self, text: &str, value: &[u8], any_case: bool, view: &RequestView) -> Truth {
        match self
            .patterns
            .get(view.reader().engine(), any_case, text)
            .and_then(|pattern| pattern.matches(value))
        {
            Ok(matches) => Truth::of(matches),
            Err(why) => self.unknown(WhyUnknown::Pattern(text.to_owned(), why)),
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
