//! The model taken apart into described values: the one list of what there is to compare and to show.
//!
//! Each function here destructures its type without `..`, so that a field that is added to the model and not described
//! does not compile. The comparison and the model as JSON walk what comes out.

mod detection;
mod pool;
mod route;

use crate::change_kind::ChangeKind;
use crate::effect::EffectClass;
use crate::model::{ClientAddress, Config, Pool, PoolId, Setting, TableId};
use crate::source::{Span, Spanned};
use crate::words;

pub(crate) use route::binds;

/// One value of an object of the model. Two objects of one type give the same values in the same order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// What kind of change it is where this differs; `None` for what has no effect.
    pub kind: Option<ChangeKind>,
    /// Which setting, by a name that no other value of the object has.
    pub name: &'static str,
    /// What is in force. `None`: not set, or for what has no effect.
    pub value: Option<Value>,
    /// Where it is written, if anywhere.
    pub place: Option<Span>,
    /// What it has an effect on.
    pub class: EffectClass,
    /// Why it has no effect of its own; empty for what has one.
    pub why: &'static str,
}

/// A value in the dialect's words. Two are equal exactly when they have the same effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The gist.
    pub words: String,
    /// What the gist leaves out, part by part.
    pub rest: Vec<String>,
}

/// Parts of a value that are spelt out where two differ in them.
const MAX_PARTS: usize = 4;

impl Value {
    /// The gist and all that it leaves out.
    #[must_use]
    pub fn in_full(&self) -> String {
        in_brackets(&self.words, &self.rest)
    }

    /// Both values as a change shows them: the gist, and where that is the same, what only one of them has besides.
    #[must_use]
    pub fn contrast(old: &Self, new: &Self) -> (String, String) {
        if old.words != new.words {
            return (old.words.clone(), new.words.clone());
        }
        let only = |own: &Self, other: &Self| {
            let other: std::collections::BTreeSet<&String> = other.rest.iter().collect();
            let mut parts: Vec<String> =
                own.rest.iter().filter(|part| !other.contains(part)).cloned().collect();
            // The same parts in another order, or one of them once more.
            if parts.is_empty() && own.rest.iter().all(|part| other.contains(part)) && !own.rest.is_empty() {
                let same = own.rest.iter().collect::<std::collections::BTreeSet<_>>().len() == other.len();
                parts.extend(same.then(|| own.rest.join("; ")));
            }
            let more = parts.len().saturating_sub(MAX_PARTS);
            parts.truncate(MAX_PARTS);
            parts.extend((more > 0).then(|| format!("and {more} more")));
            in_brackets(&own.words, &parts)
        };
        (only(old, new), only(new, old))
    }
}

impl From<String> for Value {
    fn from(words: String) -> Self {
        Self { words, rest: Vec::new() }
    }
}

fn in_brackets(words: &str, parts: &[String]) -> String {
    if parts.is_empty() { words.to_owned() } else { format!("{words} ({})", parts.join("; ")) }
}

impl Described {
    fn new(kind: ChangeKind, name: &'static str, class: EffectClass) -> Self {
        Self { kind: Some(kind), name, value: None, place: None, class, why: "" }
    }

    /// Something that changes nothing by itself, and why.
    fn without_effect(name: &'static str, why: &'static str) -> Self {
        Self { kind: None, name, value: None, place: None, class: EffectClass::None, why }
    }

    /// Without effect where there is a reason for that.
    fn unless(mut self, why: Option<&'static str>) -> Self {
        if let Some(why) = why {
            self.class = EffectClass::None;
            self.why = why;
        }
        self
    }

    fn value(self, value: Option<impl Into<Value>>) -> Self {
        Self { value: value.map(Into::into), ..self }
    }

    fn rest(mut self, rest: Vec<String>) -> Self {
        if let Some(value) = &mut self.value {
            value.rest = rest;
        }
        self
    }

    fn at(self, place: Option<Span>) -> Self {
        Self { place, ..self }
    }

    /// An effective value, or that it is not set.
    fn setting<T>(self, setting: Option<&Setting<T>>, read: impl FnOnce(&T) -> String) -> Self {
        self.value(setting.map(|setting| read(&setting.value))).at(setting.and_then(Setting::span))
    }

    /// Something that is there or is not.
    fn mark(self, mark: Option<Span>, words: &str) -> Self {
        self.value(mark.map(|_| words.to_owned())).at(mark)
    }
}

/// Describes what is in one configuration.
#[derive(Clone, Debug)]
pub struct Describer<'a> {
    config: &'a Config,
    /// For each pool of the configuration, the one by whose name it is called.
    called: Vec<&'a Pool>,
}

impl<'a> Describer<'a> {
    /// Describes by the names of the configuration.
    #[must_use]
    pub fn new(config: &'a Config) -> Self {
        Self { config, called: config.pools.iter().collect() }
    }

    /// Describes by the names that pools have elsewhere, so that nothing but a name makes no difference.
    pub(crate) fn calling(config: &'a Config, called: impl Fn(PoolId) -> Option<&'a Pool>) -> Self {
        Self { config, called: config.pools().map(|(id, pool)| called(id).unwrap_or(pool)).collect() }
    }

    /// What holds for the configuration as a whole: all but its listeners, tables and pools.
    #[must_use]
    pub fn config(&self) -> Vec<Described> {
        let Config {
            dialect: _,
            version: _,
            listeners: _,
            tables: _,
            normalizations: _,
            answered_errors,
            restored_addresses: _,
            pools: _,
            other_uses,
            serves_other,
            client_address,
            workers,
            without_router,
            request_metadata,
            uncovered_splits,
            fragment: _,
            times: _,
            files: _,
            coverage: _,
        } = self.config;
        let mut uses: Vec<String> = other_uses.iter().map(|(pool, _)| self.pool_name(*pool)).collect();
        uses.sort_unstable();
        uses.dedup();
        let list =
            |words: &str, all: &[String]| (!all.is_empty()).then(|| format!("{words} {}", all.join(", ")));
        let codes: Vec<String> = answered_errors.iter().map(u16::to_string).collect();
        let mut blind: Vec<String> = without_router.iter().map(|name| name.value.clone()).collect();
        blind.sort_unstable();
        let mut uncovered: Vec<String> = uncovered_splits
            .iter()
            .map(|(Spanned { value, .. }, part)| format!("{} of `{value}`", exact_percent(*part)))
            .collect();
        uncovered.sort_unstable();
        // What shows that a proxy is in front has no effect: the address is that of whoever connects.
        let restored = match client_address {
            ClientAddress::Restored(span) => Some(*span),
            ClientAddress::Peer | ClientAddress::Behind(_) => None,
        };
        let address = match restored {
            Some(_) => "client address as a proxy in front tells it",
            None => "client address of whoever connects",
        };
        let workers = match workers {
            None => Described::without_effect("workers", "not in what was read, or all share their counters"),
            Some(_) => Described::new(ChangeKind::LimitChanged, "workers", EffectClass::Process).setting(
                workers.as_ref(),
                |count| match count {
                    None => "as many workers as processors".to_owned(),
                    Some(1) => "1 worker".to_owned(),
                    Some(count) => format!("{count} workers"),
                },
            ),
        };
        vec![
            Described::without_effect("dialect", "what languages do otherwise is in the values"),
            Described::without_effect(
                "version",
                "what versions do otherwise is in the defaults of the values",
            ),
            Described::new(ChangeKind::RouteChanged, "answered errors", EffectClass::Content)
                .value(list("error pages for", &codes)),
            Described::new(ChangeKind::RouteChanged, "other uses", EffectClass::Routing)
                .value(list("beside routes used:", &uses))
                .at(other_uses.first().map(|(_, span)| *span)),
            Described::new(ChangeKind::ListenerChanged, "serves other", EffectClass::Unknown)
                .mark(*serves_other, "serves traffic that is not looked at"),
            Described::new(ChangeKind::ListenerChanged, "client address", EffectClass::Security)
                .value(Some(address.to_owned()))
                .at(restored),
            workers,
            Described::new(ChangeKind::RouteChanged, "without router", EffectClass::Routing)
                .value(list("no router filter in", &blind))
                .at(without_router.first().map(|name| name.span)),
            Described::new(ChangeKind::RouteChanged, "request metadata", EffectClass::Share)
                .value(request_metadata.then(|| "filters give requests metadata".to_owned())),
            Described::new(ChangeKind::RouteChanged, "uncovered splits", EffectClass::Routing)
                .value(list("no pool for", &uncovered))
                .at(uncovered_splits.first().map(|(name, _)| name.span)),
            Described::without_effect("fragment", "how much was given, not what it does"),
            Described::without_effect("times", "described where they are in force"),
            Described::without_effect("files", "where it is written"),
            Described::without_effect("coverage", "how much was understood"),
        ]
    }

    /// What a pool is called: "backend `api`".
    pub(crate) fn pool_name(&self, pool: PoolId) -> String {
        let called = self.called.get(pool.0 as usize).copied();
        words::pool(self.config.dialect, called.unwrap_or_else(|| self.config.pool(pool)))
    }

    /// What a table is called.
    fn table_name(&self, table: TableId) -> String {
        match self.config.table(table).label.as_str() {
            "" => "rules of their own".to_owned(),
            label => label.to_owned(),
        }
    }
}

/// A part in millionths, exactly: "10 %", "0.0125 %".
fn exact_percent(millionths: u32) -> String {
    format!("{} %", f64::from(millionths) / 10_000.0)
}

/// Keys with values, in a fixed order.
fn pairs(name: &str, all: &[(String, String)]) -> Option<String> {
    let mut texts: Vec<String> = all.iter().map(|(key, value)| format!("{key}={value}")).collect();
    texts.sort_unstable();
    (!texts.is_empty()).then(|| format!("{name} {}", texts.join(", ")))
}
