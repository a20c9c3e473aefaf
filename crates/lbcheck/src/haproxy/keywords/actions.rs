//! Actions of the rule sets.

use super::{ALWAYS, NOT_IN_2_6, NOT_IN_3_0, Since};
use crate::dialect::Version;

/// An action and the rule sets it may stand in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RuleAction {
    /// The action; a final `*` stands for any end, mostly an argument in parentheses.
    name: &'static str,
    sets: u8,
    since: Since,
}

impl RuleAction {
    /// The word without its `*`.
    pub(crate) fn word(&self) -> &'static str {
        self.name.trim_end_matches('*')
    }

    fn is(&self, word: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(start) => word.starts_with(start),
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

const fn a(name: &'static str, sets: u8, since: Since) -> RuleAction {
    RuleAction { name, sets, since }
}

/// The actions. A name may have several lines.
#[rustfmt::skip]
pub(crate) const ACTIONS: &[RuleAction] = &[
    a("accept", CONNECTION | SESSION | CONTENT | ANSWER, ALWAYS),
    a("add-acl*", REQUEST | RESPONSE, ALWAYS),
    a("add-header", REQUEST | RESPONSE | AFTER, ALWAYS),
    a("allow", REQUEST | RESPONSE | AFTER, ALWAYS),
    a("attach-srv", SESSION, NOT_IN_2_6),
    a("auth", REQUEST, ALWAYS),
    a("cache-store", RESPONSE, ALWAYS),
    a("cache-use", REQUEST, ALWAYS),
    a("capture", CONTENT | REQUEST | RESPONSE | AFTER, ALWAYS),
    a("close", ANSWER, ALWAYS),
    a("del-acl*", REQUEST | RESPONSE, ALWAYS),
    a("del-acl*", AFTER, NOT_IN_2_6),
    a("del-header", REQUEST | RESPONSE | AFTER, ALWAYS),
    a("del-map*", REQUEST | RESPONSE, ALWAYS),
    a("del-map*", AFTER, NOT_IN_2_6),
    a("deny", REQUEST | RESPONSE, ALWAYS),
    a("disable-l7-retry", REQUEST, ALWAYS),
    a("do-log", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE | AFTER, NOT_IN_3_0),
    a("do-resolve*", CONTENT | REQUEST, ALWAYS),
    a("early-hint", REQUEST, ALWAYS),
    a("expect-netscaler-cip", CONNECTION, ALWAYS),
    a("expect-proxy", CONNECTION, ALWAYS),
    a("normalize-uri", REQUEST, ALWAYS),
    a("ot-group", CONTENT | ANSWER | REQUEST | RESPONSE | AFTER, ALWAYS),
    a("pause", REQUEST | RESPONSE, NOT_IN_3_0),
    a("redirect", REQUEST | RESPONSE, ALWAYS),
    a("reject", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST, ALWAYS),
    a("replace-header", REQUEST | RESPONSE | AFTER, ALWAYS),
    a("replace-path", REQUEST, ALWAYS),
    a("replace-pathq", REQUEST, ALWAYS),
    a("replace-uri", REQUEST, ALWAYS),
    a("replace-value", REQUEST | RESPONSE | AFTER, ALWAYS),
    a("return", REQUEST | RESPONSE, ALWAYS),
    a("sc-add-gpc*", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE | AFTER, NOT_IN_2_6),
    a("sc-inc-gpc*", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, ALWAYS),
    a("sc-inc-gpc*", AFTER, NOT_IN_2_6),
    a("sc-inc-gpc0*", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, ALWAYS),
    a("sc-inc-gpc0*", AFTER, NOT_IN_2_6),
    a("sc-inc-gpc1*", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, ALWAYS),
    a("sc-inc-gpc1*", AFTER, NOT_IN_2_6),
    a("sc-set-gpt*", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, ALWAYS),
    a("sc-set-gpt*", AFTER, NOT_IN_2_6),
    a("sc-set-gpt0*", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, ALWAYS),
    a("sc-set-gpt0*", AFTER, NOT_IN_2_6),
    a("send-spoe-group", CONTENT | ANSWER | REQUEST | RESPONSE, ALWAYS),
    a("set-bandwidth-limit", CONTENT | ANSWER | REQUEST | RESPONSE, NOT_IN_2_6),
    a("set-bc-mark", CONTENT | REQUEST, NOT_IN_2_6),
    a("set-bc-tos", CONTENT | REQUEST, NOT_IN_2_6),
    a("set-dst", CONNECTION | SESSION | CONTENT | REQUEST, ALWAYS),
    a("set-dst-port", CONNECTION | SESSION | CONTENT | REQUEST, ALWAYS),
    a("set-fc-mark", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, NOT_IN_2_6),
    a("set-fc-tos", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, NOT_IN_2_6),
    a("set-header", REQUEST | RESPONSE | AFTER, ALWAYS),
    a("set-log-level", CONTENT | ANSWER | REQUEST | RESPONSE, ALWAYS),
    a("set-log-level", AFTER, NOT_IN_2_6),
    a("set-map*", REQUEST | RESPONSE, ALWAYS),
    a("set-map*", AFTER, NOT_IN_2_6),
    a("set-mark", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, ALWAYS),
    a("set-method", REQUEST, ALWAYS),
    a("set-nice", CONTENT | ANSWER | REQUEST | RESPONSE, ALWAYS),
    a("set-path", REQUEST, ALWAYS),
    a("set-pathq", REQUEST, ALWAYS),
    a("set-priority-class", CONTENT | REQUEST, ALWAYS),
    a("set-priority-offset", CONTENT | REQUEST, ALWAYS),
    a("set-query", REQUEST, ALWAYS),
    a("set-retries", CONTENT | REQUEST, NOT_IN_3_0),
    a("set-src", CONNECTION | SESSION | CONTENT | REQUEST, ALWAYS),
    a("set-src-port", CONNECTION | SESSION | CONTENT | REQUEST, ALWAYS),
    a("set-status", RESPONSE | AFTER, ALWAYS),
    a("set-timeout", REQUEST, ALWAYS),
    a("set-timeout", RESPONSE, NOT_IN_2_6),
    a("set-tos", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, ALWAYS),
    a("set-uri", REQUEST, ALWAYS),
    a("set-var*", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE | AFTER, ALWAYS),
    a("set-var-fmt*", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE | AFTER, ALWAYS),
    a("silent-drop", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, ALWAYS),
    a("strict-mode", REQUEST | RESPONSE | AFTER, ALWAYS),
    a("switch-mode", CONTENT, ALWAYS),
    a("tarpit", REQUEST, ALWAYS),
    a("track-sc*", CONNECTION | SESSION | CONTENT | REQUEST | RESPONSE, ALWAYS),
    a("unset-var*", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE | AFTER, ALWAYS),
    a("use-service", CONTENT | REQUEST, ALWAYS),
    a("wait-for-body", REQUEST | RESPONSE, ALWAYS),
    a("wait-for-handshake", REQUEST, ALWAYS),
];

/// How names of actions start that come from scripts and extensions.
const FOREIGN: &[&str] = &["lua.", "ot-group"];

/// Whether a rule set may hold an action, as far as is known for this version.
pub(crate) fn action_known(set: u8, word: &str, version: Version) -> bool {
    FOREIGN.iter().any(|start| word.starts_with(start))
        || ACTIONS
            .iter()
            .any(|action| action.sets & set != 0 && action.since.allows(version) && action.is(word))
}

/// The actions of a rule set.
pub(crate) fn actions(set: u8) -> impl Iterator<Item = &'static str> {
    ACTIONS.iter().filter(move |action| action.sets & set != 0).map(RuleAction::word)
}
