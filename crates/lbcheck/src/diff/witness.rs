//! Requests that show a change of routing.

use crate::model::{Condition, Match, TextMatch};
use crate::traffic::Request;

/// A request made to meet the conditions on the way to a route, as far as that can be done by setting parts of
/// it. Whether it really takes the route is for an evaluation to say.
#[derive(Clone, Debug, Default)]
pub(super) struct Witness {
    request: Request,
}

impl Witness {
    /// A request over TLS or not.
    pub(super) fn new(tls: bool) -> Self {
        Self { request: Request { tls: Some(tls), ..Request::default() } }
    }

    /// This request, made to meet `condition` too.
    pub(super) fn under(&self, condition: &Condition) -> Self {
        let mut witness = self.clone();
        witness.meet(condition);
        witness
    }

    fn meet(&mut self, condition: &Condition) {
        match condition {
            Condition::All(all) => all.iter().for_each(|part| self.meet(part)),
            Condition::Any(any) => {
                if let Some(first) = any.first() {
                    self.meet(first);
                }
            }
            Condition::Is(Match::Host(pattern) | Match::HostName(pattern)) => {
                self.request.host = fit(pattern)
            }
            Condition::Is(Match::Path(pattern) | Match::Target(pattern)) => {
                self.request.path = fit(pattern).filter(|path| !path.contains('?'));
            }
            Condition::Is(Match::Method(pattern)) => self.request.method = fit(pattern),
            Condition::Is(Match::Sni(pattern)) => self.request.sni = fit(pattern),
            _ => {}
        }
    }

    /// The request with values for the parts that no condition asks for.
    pub(super) fn filled(&self) -> Request {
        let mut request = self.request.clone();
        request.host.get_or_insert_with(|| "any.invalid".into());
        request.path.get_or_insert_with(|| "/".into());
        request.method.get_or_insert_with(|| "GET".into());
        request.query.get_or_insert_default();
        request
    }

    /// `GET https://host/path`; `*` where any host will do.
    pub(super) fn to_text(&self) -> String {
        let request = self.filled();
        let scheme = if request.tls == Some(true) { "https" } else { "http" };
        let host = self.request.host.as_deref().or(self.request.sni.as_deref()).unwrap_or("*");
        let method = request.method.as_deref().unwrap_or("GET");
        format!("{method} {scheme}://{host}{}", request.path.as_deref().unwrap_or("/"))
    }
}

/// A text that fits the pattern, where one can be told from it.
fn fit(pattern: &TextMatch) -> Option<String> {
    let pattern = match pattern {
        TextMatch::IgnoreCase(inner) => inner,
        other => other,
    };
    match pattern {
        TextMatch::Exact(text) | TextMatch::Prefix(text) | TextMatch::SegmentPrefix(text) => {
            Some(text.clone())
        }
        TextMatch::Suffix(text) if text.starts_with('.') => Some(format!("x{text}")),
        TextMatch::Suffix(text) | TextMatch::Contains(text) => Some(text.clone()),
        TextMatch::Between(from, _) => Some(from.to_string()),
        TextMatch::Regex(_) | TextMatch::Present | TextMatch::IgnoreCase(_) => None,
    }
}
