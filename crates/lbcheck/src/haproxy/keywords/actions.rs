//! Actions of the rule sets.

use super::versions::*;
use crate::dialect::Version;
use crate::effect::EffectClass::{self, Capacity, Content, Observability, Routing, Security, Time, Unknown};

/// An action and the rule sets it may stand in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RuleAction {
    /// The action; a final `*` stands for any end, mostly an argument in parentheses.
    name: &'static str,
    sets: u8,
    versions: Versions,
    class: EffectClass,
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

const fn a(name: &'static str, sets: u8, since: Since, until: Until, class: EffectClass) -> RuleAction {
    RuleAction { name, sets, versions: Versions { since, until }, class }
}

/// The actions. A name may have several lines.
#[rustfmt::skip]
pub(crate) const ACTIONS: &[RuleAction] = &[
    a("accept", CONNECTION | SESSION | CONTENT | ANSWER, ALWAYS, KEPT, Routing),
    a("add-acl*", REQUEST | RESPONSE, ALWAYS, KEPT, Security),
    a("add-header", REQUEST | RESPONSE | AFTER, ALWAYS, KEPT, Content),
    a("add-headers-bin", REQUEST | RESPONSE | AFTER, IN_3_4, KEPT, Content),
    a("allow", REQUEST | RESPONSE | AFTER, ALWAYS, KEPT, Routing),
    a("attach-srv", SESSION, IN_3_0, KEPT, Routing),
    a("auth", REQUEST, ALWAYS, KEPT, Routing),
    a("cache-store", RESPONSE, ALWAYS, KEPT, Content),
    a("cache-use", REQUEST, ALWAYS, KEPT, Content),
    a("capture", CONTENT | REQUEST | RESPONSE, ALWAYS, KEPT, Observability),
    a("capture", AFTER, IN_2_6, KEPT, Observability),
    a("close", ANSWER, ALWAYS, KEPT, Routing),
    a("del-acl*", REQUEST | RESPONSE, ALWAYS, KEPT, Security),
    a("del-acl*", AFTER, IN_2_8, KEPT, Security),
    a("del-header", REQUEST | RESPONSE | AFTER, ALWAYS, KEPT, Content),
    a("del-headers-bin", REQUEST | RESPONSE | AFTER, IN_3_4, KEPT, Content),
    a("del-map*", REQUEST | RESPONSE, ALWAYS, KEPT, Security),
    a("del-map*", AFTER, IN_2_8, KEPT, Security),
    a("deny", REQUEST | RESPONSE, ALWAYS, KEPT, Routing),
    a("disable-l7-retry", REQUEST, ALWAYS, KEPT, Capacity),
    a("do-log", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE | AFTER, IN_3_2, KEPT, Observability),
    a("do-resolve*", CONTENT | REQUEST, ALWAYS, KEPT, Routing),
    a("early-hint", REQUEST, ALWAYS, KEPT, Content),
    a("expect-netscaler-cip", CONNECTION, ALWAYS, KEPT, Security),
    a("expect-proxy", CONNECTION, ALWAYS, KEPT, Security),
    a("normalize-uri", REQUEST, ALWAYS, KEPT, Routing),
    a("ot-group", CONTENT | ANSWER | REQUEST | RESPONSE | AFTER, ALWAYS, KEPT, Observability),
    a("pause", REQUEST | RESPONSE, IN_3_2, KEPT, Capacity),
    a("redirect", REQUEST | RESPONSE, ALWAYS, KEPT, Routing),
    a("reject", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST, ALWAYS, KEPT, Routing),
    a("replace-header", REQUEST | RESPONSE | AFTER, ALWAYS, KEPT, Content),
    a("replace-path", REQUEST, ALWAYS, KEPT, Routing),
    a("replace-pathq", REQUEST, ALWAYS, KEPT, Routing),
    a("replace-uri", REQUEST, ALWAYS, KEPT, Routing),
    a("replace-value", REQUEST | RESPONSE | AFTER, ALWAYS, KEPT, Content),
    a("return", REQUEST | RESPONSE, ALWAYS, KEPT, Routing),
    a("sc-add-gpc*", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE | AFTER, IN_2_8, KEPT, Security),
    a("sc-inc-gpc*", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, IN_2_6, KEPT, Security),
    a("sc-inc-gpc*", AFTER, IN_2_8, KEPT, Security),
    a("sc-inc-gpc0*", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, ALWAYS, KEPT, Security),
    a("sc-inc-gpc0*", AFTER, IN_2_8, KEPT, Security),
    a("sc-inc-gpc1*", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, ALWAYS, KEPT, Security),
    a("sc-inc-gpc1*", AFTER, IN_2_8, KEPT, Security),
    a("sc-set-gpt*", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, IN_2_6, KEPT, Security),
    a("sc-set-gpt*", AFTER, IN_2_8, KEPT, Security),
    a("sc-set-gpt0*", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, ALWAYS, KEPT, Security),
    a("sc-set-gpt0*", AFTER, IN_2_8, KEPT, Security),
    a("send-spoe-group", CONTENT | ANSWER | REQUEST | RESPONSE, ALWAYS, KEPT, Content),
    a("set-bandwidth-limit", CONTENT | ANSWER | REQUEST | RESPONSE, IN_2_8, KEPT, Capacity),
    a("set-bc-mark", CONTENT | REQUEST, IN_3_0, KEPT, Capacity),
    a("set-bc-tos", CONTENT | REQUEST, IN_3_0, KEPT, Capacity),
    a("set-dst", CONNECTION | SESSION | CONTENT | REQUEST, ALWAYS, KEPT, Routing),
    a("set-dst-port", CONNECTION | SESSION | CONTENT | REQUEST, ALWAYS, KEPT, Routing),
    a("set-fc-mark", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, IN_3_0, KEPT, Capacity),
    a("set-fc-tos", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, IN_3_0, KEPT, Capacity),
    a("set-header", REQUEST | RESPONSE | AFTER, ALWAYS, KEPT, Content),
    a("set-headers-bin", REQUEST | RESPONSE | AFTER, IN_3_4, KEPT, Content),
    a("set-log-level", REQUEST | RESPONSE, ALWAYS, KEPT, Observability),
    a("set-log-level", CONTENT | ANSWER, IN_2_6, KEPT, Observability),
    a("set-log-level", AFTER, IN_2_8, KEPT, Observability),
    a("set-map*", REQUEST | RESPONSE, ALWAYS, KEPT, Security),
    a("set-map*", AFTER, IN_2_8, KEPT, Security),
    a("set-mark", REQUEST | RESPONSE, ALWAYS, KEPT, Capacity),
    a("set-mark", CONNECTION | SESSION | CONTENT | ANSWER, IN_2_6, KEPT, Capacity),
    a("set-method", REQUEST, ALWAYS, KEPT, Routing),
    a("set-nice", REQUEST | RESPONSE, ALWAYS, KEPT, Capacity),
    a("set-nice", CONTENT | ANSWER, IN_2_6, KEPT, Capacity),
    a("set-path", REQUEST, ALWAYS, KEPT, Routing),
    a("set-pathq", REQUEST, ALWAYS, KEPT, Routing),
    a("set-priority-class", CONTENT | REQUEST, ALWAYS, KEPT, Capacity),
    a("set-priority-offset", CONTENT | REQUEST, ALWAYS, KEPT, Capacity),
    a("set-query", REQUEST, ALWAYS, KEPT, Routing),
    a("set-retries", CONTENT | REQUEST, IN_3_2, KEPT, Capacity),
    a("set-src", CONNECTION | SESSION | REQUEST, ALWAYS, KEPT, Routing),
    a("set-src", CONTENT, IN_2_6, KEPT, Routing),
    a("set-src-port", CONNECTION | SESSION | REQUEST, ALWAYS, KEPT, Routing),
    a("set-src-port", CONTENT, IN_2_6, KEPT, Routing),
    a("set-status", RESPONSE | AFTER, ALWAYS, KEPT, Content),
    a("set-timeout", REQUEST, ALWAYS, KEPT, Time),
    a("set-timeout", RESPONSE, IN_3_0, KEPT, Time),
    a("set-tos", REQUEST | RESPONSE, ALWAYS, KEPT, Capacity),
    a("set-tos", CONNECTION | SESSION | CONTENT | ANSWER, IN_2_6, KEPT, Capacity),
    a("set-uri", REQUEST, ALWAYS, KEPT, Routing),
    a("set-var*", SESSION | CONTENT | ANSWER | REQUEST | RESPONSE | AFTER, ALWAYS, KEPT, Routing),
    a("set-var*", CONNECTION, IN_2_6, KEPT, Routing),
    a("set-var-fmt*", SESSION | CONTENT | ANSWER | REQUEST | RESPONSE | AFTER, ALWAYS, KEPT, Routing),
    a("set-var-fmt*", CONNECTION, IN_2_6, KEPT, Routing),
    a("silent-drop", CONNECTION | SESSION | CONTENT | ANSWER | REQUEST | RESPONSE, ALWAYS, KEPT, Routing),
    a("strict-mode", REQUEST | RESPONSE | AFTER, ALWAYS, KEPT, Security),
    a("switch-mode", CONTENT, ALWAYS, KEPT, Routing),
    a("tarpit", REQUEST, ALWAYS, KEPT, Routing),
    a("track-sc*", CONNECTION | SESSION | CONTENT | REQUEST | RESPONSE, ALWAYS, KEPT, Security),
    a("unset-var*", SESSION | CONTENT | ANSWER | REQUEST | RESPONSE | AFTER, ALWAYS, KEPT, Routing),
    a("unset-var*", CONNECTION, IN_2_6, KEPT, Routing),
    a("use-service", CONTENT | REQUEST, ALWAYS, KEPT, Routing),
    a("wait-for-body", REQUEST | RESPONSE, ALWAYS, KEPT, Content),
    a("wait-for-handshake", REQUEST, ALWAYS, KEPT, Content),
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

/// What an action has an effect on.
pub(super) fn effect_of_action(word: &str) -> EffectClass {
    match word {
        // Scripts may answer.
        _ if word.starts_with("lua.") => Routing,
        // Of `tcp-request` and `tcp-response`, which name the set before the action.
        "connection" | "session" | "content" => Routing,
        "inspect-delay" => Capacity,
        _ => ACTIONS.iter().find(|action| action.is(word)).map_or(Unknown, |action| action.class),
    }
}
