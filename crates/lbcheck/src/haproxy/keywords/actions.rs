//! Actions of the rule sets.

use super::versions::*;
use crate::dialect::Version;

/// An action and the rule sets it may stand in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RuleAction {
    /// The action; a final `*` stands for any end, mostly an argument in parentheses.
    name: &'static str,
    sets: u8,
    versions: Versions,
}

impl RuleAction {
    /// The word without its `*`.
    pub(crate) fn word(&self) -> &'static str {
        self.name.trim_end_matches('*')
    }

    fn is(&self, word: &str) -> bool {
        match self.name.strip_suffix('*') {
            // An argument in parentheses, or the number of a counter.
            Some(start) => word.strip_prefix(start).is_some_and(|rest| {
                rest.is_empty() || rest.starts_with(|c: char| c == '(' || c.is_ascii_digit())
            }),
            None => self.name == word,
        }
    }
}

/// `tcp-request connection`.
pub(crate) const CONNECTION: u8 = 1;
/// `tcp-request session`.
pub(crate) const SESSION: u8 = 2;
/// `tcp-request content`.
pub(crate) const CONTENT: u8 = 4;
/// `tcp-response content`.
pub(crate) const ANSWER: u8 = 8;
/// `http-request`.
pub(crate) const REQUEST: u8 = 16;
/// `http-response`.
pub(crate) const RESPONSE: u8 = 32;
/// `http-after-response`.
pub(crate) const AFTER: u8 = 64;

const fn a(name: &'static str, sets: u8, since: Since, until: Until) -> RuleAction {
    RuleAction { name, sets, versions: Versions { since, until } }
}

/// The actions. A name may have several lines.
#[rustfmt::skip]
pub(crate) const ACTIONS: &[RuleAction] = &[
    a("accept", CONNECTION | SESSION | CONTENT | ANSWER, ALWAYS, KEPT),
    a("add-acl*", REQUEST | RESPONSE, ALWAYS, KEPT),
    a("add-header", REQUEST | RESPONSE | AFTER, ALWAYS, KEPT),
    a("add-headers-bin", REQUEST | RESPONSE | AFTER, IN_3_4, KEPT),
    a("allow", REQUEST | RESPONSE | AFTER, ALWAYS, KEPT),
    a("attach-srv", SESSION, IN_3_0, KEPT),
    a("auth", REQUEST, ALWAYS, KEPT),
    a("cache-store", RESPONSE, ALWAYS, KEPT),
    a("cache-use", REQUEST, ALWAYS, KEPT),
    a("capture", CONTENT | REQUEST | RESPONSE, ALWAYS, KEPT),
    a("capture", AFTER, IN_2_6, KEPT),
    a("close", ANSWER, ALWAYS, KEPT),
    a("del-acl*", REQUEST | RESPONSE, ALWAYS, KEPT),
    a("del-acl*", AFTER, IN_2_8, KEPT),
    a("del-header", REQUEST | RESPONSE | AFTER, ALWAYS, KEPT),
    a("del-headers-bin", REQUEST | RESPONSE | AFTER, IN_3_4, KEPT),
    a("del-map*", REQUEST | RESPONSE, ALWAYS, KEPT),
    a("del-map*", AFTER, IN_2_8, KEPT),
    a("deny", REQUEST | RESPONSE, ALWAYS, KEPT),
    a("disable-l7-retry", REQUEST, ALWAYS, KEPT),
    a("do-log", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE | AFTER, IN_3_2, KEPT),
    a("do-resolve*", CONTENT | REQUEST, ALWAYS, KEPT),
    a("early-hint", REQUEST, ALWAYS, KEPT),
    a("expect-netscaler-cip", CONNECTION, ALWAYS, KEPT),
    a("expect-proxy", CONNECTION, ALWAYS, KEPT),
    a("normalize-uri", REQUEST, ALWAYS, KEPT),
    a("ot-group", CONTENT | ANSWER | REQUEST | RESPONSE | AFTER, ALWAYS, KEPT),
    a("pause", REQUEST | RESPONSE, IN_3_2, KEPT),
    a("redirect", REQUEST | RESPONSE, ALWAYS, KEPT),
    a("reject", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST, ALWAYS, KEPT),
    a("replace-header", REQUEST | RESPONSE | AFTER, ALWAYS, KEPT),
    a("replace-path", REQUEST, ALWAYS, KEPT),
    a("replace-pathq", REQUEST, ALWAYS, KEPT),
    a("replace-uri", REQUEST, ALWAYS, KEPT),
    a("replace-value", REQUEST | RESPONSE | AFTER, ALWAYS, KEPT),
    a("return", REQUEST | RESPONSE, ALWAYS, KEPT),
    a("sc-add-gpc*", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE | AFTER, IN_2_8, KEPT),
    a("sc-inc-gpc*", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, IN_2_6, KEPT),
    a("sc-inc-gpc*", AFTER, IN_2_8, KEPT),
    a("sc-inc-gpc0*", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, ALWAYS, KEPT),
    a("sc-inc-gpc0*", AFTER, IN_2_8, KEPT),
    a("sc-inc-gpc1*", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, ALWAYS, KEPT),
    a("sc-inc-gpc1*", AFTER, IN_2_8, KEPT),
    a("sc-set-gpt*", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, IN_2_6, KEPT),
    a("sc-set-gpt*", AFTER, IN_2_8, KEPT),
    a("sc-set-gpt0*", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, ALWAYS, KEPT),
    a("sc-set-gpt0*", AFTER, IN_2_8, KEPT),
    a("send-spoe-group", CONTENT | ANSWER | REQUEST | RESPONSE, ALWAYS, KEPT),
    a("set-bandwidth-limit", CONTENT | ANSWER | REQUEST | RESPONSE, IN_2_8, KEPT),
    a("set-bc-mark", CONTENT | REQUEST, IN_3_0, KEPT),
    a("set-bc-tos", CONTENT | REQUEST, IN_3_0, KEPT),
    a("set-dst", CONNECTION | SESSION | CONTENT | REQUEST, ALWAYS, KEPT),
    a("set-dst-port", CONNECTION | SESSION | CONTENT | REQUEST, ALWAYS, KEPT),
    a("set-fc-mark", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, IN_3_0, KEPT),
    a("set-fc-tos", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, IN_3_0, KEPT),
    a("set-header", REQUEST | RESPONSE | AFTER, ALWAYS, KEPT),
    a("set-headers-bin", REQUEST | RESPONSE | AFTER, IN_3_4, KEPT),
    a("set-log-level", REQUEST | RESPONSE, ALWAYS, KEPT),
    a("set-log-level", CONTENT | ANSWER, IN_2_6, KEPT),
    a("set-log-level", AFTER, IN_2_8, KEPT),
    a("set-map*", REQUEST | RESPONSE, ALWAYS, KEPT),
    a("set-map*", AFTER, IN_2_8, KEPT),
    a("set-mark", REQUEST | RESPONSE, ALWAYS, KEPT),
    a("set-mark", CONNECTION | SESSION | CONTENT | ANSWER, IN_2_6, KEPT),
    a("set-method", REQUEST, ALWAYS, KEPT),
    a("set-nice", REQUEST | RESPONSE, ALWAYS, KEPT),
    a("set-nice", CONTENT | ANSWER, IN_2_6, KEPT),
    a("set-path", REQUEST, ALWAYS, KEPT),
    a("set-pathq", REQUEST, ALWAYS, KEPT),
    a("set-priority-class", CONTENT | REQUEST, ALWAYS, KEPT),
    a("set-priority-offset", CONTENT | REQUEST, ALWAYS, KEPT),
    a("set-query", REQUEST, ALWAYS, KEPT),
    a("set-retries", CONTENT | REQUEST, IN_3_2, KEPT),
    a("set-src", CONNECTION | SESSION | REQUEST, ALWAYS, KEPT),
    a("set-src", CONTENT, IN_2_6, KEPT),
    a("set-src-port", CONNECTION | SESSION | REQUEST, ALWAYS, KEPT),
    a("set-src-port", CONTENT, IN_2_6, KEPT),
    a("set-status", RESPONSE | AFTER, ALWAYS, KEPT),
    a("set-timeout", REQUEST, ALWAYS, KEPT),
    a("set-timeout", RESPONSE, IN_3_0, KEPT),
    a("set-tos", REQUEST | RESPONSE, ALWAYS, KEPT),
    a("set-tos", CONNECTION | SESSION | CONTENT | ANSWER, IN_2_6, KEPT),
    a("set-uri", REQUEST, ALWAYS, KEPT),
    a("set-var*", SESSION | CONTENT | ANSWER | REQUEST | RESPONSE | AFTER, ALWAYS, KEPT),
    a("set-var*", CONNECTION, IN_2_6, KEPT),
    a("set-var-fmt*", SESSION | CONTENT | ANSWER | REQUEST | RESPONSE | AFTER, ALWAYS, KEPT),
    a("set-var-fmt*", CONNECTION, IN_2_6, KEPT),
    a("silent-drop", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, ALWAYS, KEPT),
    a("strict-mode", REQUEST | RESPONSE | AFTER, ALWAYS, KEPT),
    a("switch-mode", CONTENT, ALWAYS, KEPT),
    a("tarpit", REQUEST, ALWAYS, KEPT),
    a("track-sc*", CONNECTION | SESSION | CONTENT | REQUEST | RESPONSE, ALWAYS, KEPT),
    a("unset-var*", SESSION | CONTENT | ANSWER | REQUEST | RESPONSE | AFTER, ALWAYS, KEPT),
    a("unset-var*", CONNECTION, IN_2_6, KEPT),
    a("use-service", CONTENT | REQUEST, ALWAYS, KEPT),
    a("wait-for-body", REQUEST | RESPONSE, ALWAYS, KEPT),
    a("wait-for-handshake", REQUEST, ALWAYS, KEPT),
];

/// How names of actions start that come from scripts and extensions.
const FOREIGN: &[&str] = &["lua.", "ot-group"];

/// Whether a rule set may hold an action, as far as is known for this version.
pub(crate) fn action_known(set: u8, word: &str, version: Version) -> bool {
    FOREIGN.iter().any(|start| word.starts_with(start))
        || ACTIONS
            .iter()
            .any(|action| action.sets & set != 0 && action.versions.allow(version) && action.is(word))
}

/// The actions of a rule set.
pub(crate) fn actions(set: u8) -> impl Iterator<Item = &'static str> {
    ACTIONS.iter().filter(move |action| action.sets & set != 0).map(RuleAction::word)
}
