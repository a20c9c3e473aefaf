//! Listeners, tables and routes, taken apart.

use super::detection::duration;
use super::pool::mode_word;
use super::{Described, Describer, Value, exact_percent, pairs};
use crate::change_kind::ChangeKind;
use crate::effect::EffectClass;
use crate::model::{
    Action, AddressSource, Bind, ErrorTarget, EscapedSlashes, Fallback, ForwardedScheme, HashPolicy, KeyFits,
    KeyVariety, Listener, Mirror, Normalization, OnError, PathChange, PortInHost, Reach, Recipe, RecipePart,
    Response, RestoredAddress, Retries, Route, RouteTable, SampleStep, Sampled, Setting, TableId, Target,
    Then, Underscores, WeightedTarget,
};
use crate::words;

impl Describer<'_> {
    /// The settings of a listener: all but its table.
    #[must_use]
    pub fn listener(&self, listener: &Listener) -> Vec<Described> {
        let Listener { name: _, mode, binds, table: _, span } = listener;
        let setting = |name, class| Described::new(ChangeKind::ListenerChanged, name, class).at(Some(*span));
        vec![
            Described::without_effect("name", "listeners are told apart by it"),
            Described::without_effect("span", "where it is written"),
            setting("addresses", EffectClass::Routing)
                .value(Some(self::binds(binds)))
                .rest(binds.iter().flat_map(reach).collect()),
            setting("mode", EffectClass::Routing).value(Some(format!("mode {}", mode_word(*mode)))),
        ]
    }

    /// What holds for a table as a whole: all but its routes.
    #[must_use]
    pub fn table(&self, id: TableId) -> Vec<Described> {
        let RouteTable { routes: _, label: _ } = self.config.table(id);
        let mut all = vec![Described::without_effect("label", "for messages")];
        all.extend(self.normalization(id));
        let restored = self.config.restored_addresses.get(&id);
        all.push(
            Described::new(ChangeKind::ListenerChanged, "restored address", EffectClass::Security)
                .value(restored.map(restored_address)),
        );
        all
    }

    fn normalization(&self, id: TableId) -> Vec<Described> {
        let nginx = Normalization::nginx();
        let plain = Normalization::default();
        let normalizes = self.config.dialect.description().normalizes_paths;
        let (settings, why) = match self.config.normalizations.get(&id) {
            Some(settings) => (settings, None),
            None if normalizes => (&nginx, None),
            None => (&plain, Some("nothing is changed before this table")),
        };
        let Normalization {
            dots,
            merge_slashes,
            escaped_slashes,
            port,
            ignores_port,
            strips_dot,
            refuses_upgrades,
            host_header,
            underscores,
            scheme,
            refuses_methods,
        } = settings;
        let either = |name, is: bool, yes: &str, no: &str| (name, if is { yes } else { no }.to_owned());
        let host = host_header.as_deref().unwrap_or("host");
        [
            either("path normalised", *dots, "path normalised", "path as it came"),
            either("slashes merged", *merge_slashes, "slashes merged", "slashes kept"),
            (
                "escaped slashes",
                match escaped_slashes {
                    EscapedSlashes::Kept => "escaped slashes kept",
                    EscapedSlashes::Rejected => "escaped slashes refused with 400",
                    EscapedSlashes::Redirected => "escaped slashes redirected to slashes",
                    EscapedSlashes::Decoded => "escaped slashes decoded",
                }
                .to_owned(),
            ),
            (
                "port in host",
                match port {
                    PortInHost::Kept => "port kept in the host",
                    PortInHost::StrippedIfMatching => "port of the listener taken off the host",
                    PortInHost::Stripped => "port taken off the host",
                }
                .to_owned(),
            ),
            either("port compared", *ignores_port, "hosts compared without port", "hosts compared with port"),
            either("final dot", *strips_dot, "final dot taken off the host", "final dot kept in the host"),
            either("upgrades", *refuses_upgrades, "upgrades refused with 403", "upgrades let through"),
            ("host header", format!("hosts compared with the header {host}")),
            (
                "underscores",
                match underscores {
                    Underscores::Kept => "headers with underscores kept",
                    Underscores::Rejected => "headers with underscores refused with 400",
                    Underscores::Dropped => "headers with underscores taken out",
                }
                .to_owned(),
            ),
            (
                "forwarded scheme",
                match scheme {
                    ForwardedScheme::Unknown => "x-forwarded-proto not known",
                    ForwardedScheme::Kept => "x-forwarded-proto as the client says",
                    ForwardedScheme::Replaced => "x-forwarded-proto as the connection came",
                }
                .to_owned(),
            ),
            either(
                "methods",
                *refuses_methods,
                "unknown methods refused with 400",
                "unknown methods let through",
            ),
        ]
        .into_iter()
        .map(|(name, words)| {
            Described::new(ChangeKind::ListenerChanged, name, EffectClass::Routing)
                .value(Some(words))
                .unless(why)
        })
        .collect()
    }

    /// How a route goes about it: all but its condition and its action.
    #[must_use]
    pub fn route(&self, route: &Route) -> Vec<Described> {
        let Route {
            when: _,
            action,
            label: _,
            span,
            rewrite,
            path_change,
            goes_on,
            from_inside,
            on_error,
            fallbacks,
            takes_status,
            mirrors,
            hash_policies,
            metadata,
            retries,
            chance_denominator,
            timeout,
        } = route;
        let setting = |name, class| Described::new(ChangeKind::RouteChanged, name, class).at(Some(*span));
        let joined =
            |words: &str, all: Vec<String>| (!all.is_empty()).then(|| format!("{words}{}", all.join(", ")));
        // Where no pool that it leads to has subsets, nothing goes by them.
        let has_subsets = |target: &Target| match target {
            Target::Pool { pool, .. } => self.config.pool(*pool).subsets.is_some(),
            Target::Undefined(_) | Target::Dynamic { .. } => true,
        };
        let no_subsets = (!action.targets().any(has_subsets)).then_some("no pool it leads to has subsets");
        let keys = hash_policies.iter().map(|policy| policy.key.clone()).collect();
        vec![
            Described::without_effect("label", "for messages"),
            Described::without_effect("span", "where it is written"),
            setting("rewrite", EffectClass::Content)
                .value(rewrite.as_ref().map(|rewrite| format!("rewrites {rewrite}"))),
            setting("mirrors", EffectClass::Routing)
                .value(joined("", mirrors.iter().map(|mirror| self.mirror(mirror)).collect()))
                .rest(mirrors.iter().map(|mirror| exact_percent(mirror.share_ppm)).collect()),
            setting("hash policy", EffectClass::Share)
                .value(joined("hash policy ", keys))
                .rest(hash_policies.iter().flat_map(hash_policy).collect()),
            setting("timeout", EffectClass::Time)
                .value(timeout.as_ref().map(|timeout| format!("timeout {}", duration(timeout.value)))),
            setting("retries", EffectClass::Availability).value(retries.as_ref().map(attempts)),
            setting("metadata_match", EffectClass::Share)
                .value(pairs("metadata_match", metadata))
                .unless(no_subsets),
            setting("path change", EffectClass::Routing)
                .value(path_change.as_ref().map(|change| self.path_change(change))),
            setting("goes on", EffectClass::Routing)
                .value(goes_on.map(|table| format!("goes on in {}", self.table_name(table)))),
            setting("from inside", EffectClass::Routing).value(
                from_inside
                    .map(|table| format!("what comes from inside goes on in {}", self.table_name(table))),
            ),
            setting("on error", EffectClass::Routing)
                .value(on_error.as_ref().map(|on_error| self.on_error(on_error))),
            setting("fallbacks", EffectClass::Availability)
                .value(joined("", fallbacks.iter().map(|each| fallback(each).words).collect()))
                .rest(fallbacks.iter().flat_map(|each| fallback(each).rest).collect()),
            setting("status", EffectClass::Content)
                .value(takes_status.then(|| "answers with the status of the error".to_owned())),
            setting("chances", EffectClass::Share)
                .value(chance_denominator.map(|whole| format!("chances in {whole}"))),
        ]
    }

    /// The rules of a pool's own, by their labels; in the rest what these stand for.
    pub(super) fn rules(&self, rules: &[Route]) -> Option<Value> {
        if rules.is_empty() {
            return None;
        }
        let labels: Vec<&str> = rules.iter().map(|rule| rule.label.as_str()).collect();
        let in_full = |rule: &Route| {
            let how = self.route(rule).into_iter().filter_map(|described| described.value);
            let mut parts = vec![self.action(&rule.action).in_full()];
            parts.extend(how.map(|value| value.in_full()));
            format!("{} if {}", parts.join(", "), words::whole_condition(&rule.when))
        };
        Some(Value { words: labels.join("; "), rest: rules.iter().map(in_full).collect() })
    }

    /// What a route does.
    pub(crate) fn action(&self, action: &Action) -> Value {
        match action {
            Action::Forward(to) => self.target(to),
            Action::Split(arms) => {
                let total: f64 = arms.iter().map(|arm| arm.weight as f64).sum();
                let part = |arm: &WeightedTarget| {
                    let WeightedTarget { target, weight, span: _ } = arm;
                    let share = if total > 0.0 { *weight as f64 / total } else { 0.0 };
                    format!("{} {}", words::percent(share), self.target(target).words)
                };
                let rest = arms.iter().flat_map(|arm| {
                    let exact = format!("weight {}", arm.weight);
                    std::iter::once(exact).chain(self.target(&arm.target).rest)
                });
                Value { words: arms.iter().map(part).collect::<Vec<_>>().join(", "), rest: rest.collect() }
            }
            Action::Endpoint { pool, endpoint } => {
                format!("server `{}` of {}", endpoint.value, self.pool_name(*pool)).into()
            }
            Action::Table(_) => "rules of its own".to_owned().into(),
            Action::Respond(response) => answer(response).into(),
            Action::Local(text) | Action::Opaque(text) => text.clone().into(),
        }
    }

    fn target(&self, target: &Target) -> Value {
        match target {
            Target::Pool { pool, span: _ } => self.pool_name(*pool).into(),
            Target::Undefined(name) => {
                format!("the undefined {} `{}`", self.config.dialect.pool_noun(), name.value).into()
            }
            Target::Dynamic { text, candidates, recipe } => {
                let mut rest: Vec<String> =
                    candidates.iter().map(|pool| format!("perhaps {}", self.pool_name(*pool))).collect();
                rest.extend(recipe.iter().flat_map(|recipe| self::recipe(recipe)));
                Value { words: format!("`{}`, known at run time", text.value), rest }
            }
        }
    }

    fn mirror(&self, mirror: &Mirror) -> String {
        let Mirror { target, share_ppm, span: _ } = mirror;
        let share = words::percent(f64::from(*share_ppm) / 1_000_000.0);
        format!("{share} mirrored to {}", self.target(target).words)
    }

    fn path_change(&self, change: &PathChange) -> Value {
        // How many rules are left out shows in the order of the table, which is compared as such.
        let PathChange { pattern, to, keeps_query, then } = change;
        let words = match pattern {
            Some(pattern) => format!("goes on with path {pattern} → {to}"),
            None => format!("goes on with path {to}"),
        };
        let query = if *keeps_query { "with the query string" } else { "without the query string" };
        let then = match then {
            Then::Search(table) => format!("in {}", self.table_name(*table)),
            Then::Next { until: _, search } => {
                format!("by the next rule, then in {}", self.table_name(*search))
            }
        };
        Value { words, rest: vec![query.to_owned(), then] }
    }

    fn on_error(&self, on_error: &OnError) -> Value {
        let OnError { error, answer: status, again, to } = on_error;
        let to = match to {
            ErrorTarget::Table(table) => self.table_name(*table),
            ErrorTarget::Path => "the path of the error page".to_owned(),
            ErrorTarget::Answer(response) => answer(response),
        };
        let status = status.map_or_else(
            || "with the status of the answer".to_owned(),
            |status| format!("with status {status}"),
        );
        let again = if *again {
            "errors on the way are treated so again"
        } else {
            "an error on the way is the answer"
        };
        Value { words: format!("{} answered by {to}", answer(error)), rest: vec![status, again.to_owned()] }
    }
}

/// Addresses in a fixed order, for comparing and showing.
pub(crate) fn binds(all: &[Bind]) -> String {
    let mut texts: Vec<String> = all.iter().map(bind).collect();
    texts.sort_unstable();
    texts.join(", ")
}

fn bind(bind: &Bind) -> String {
    let ports = match bind.ports {
        None => String::new(),
        Some((first, last)) if first == last => format!(":{first}"),
        Some((first, last)) => format!(":{first}-{last}"),
    };
    let tls = if bind.tls { " TLS" } else { "" };
    let proxy = if bind.accept_proxy { " PROXY protocol" } else { "" };
    format!("{}{ports}{tls}{proxy}", bind.host)
}

/// What the words for an address leave out.
fn reach(whole: &Bind) -> impl Iterator<Item = String> {
    let Bind { host: _, ports: _, reach, tls: _, mixed, accept_proxy: _, span: _ } = whole;
    let reach = match reach {
        Reach::Bound => None,
        Reach::HandedOver => Some("handed over by another listener"),
        Reach::Redirected => Some("redirected from other ports too"),
        Reach::Unknown => Some("not known in full"),
    };
    let mixed = mixed.then_some("TLS on a part of the connections");
    let address = bind(whole);
    reach.into_iter().chain(mixed).map(move |words| format!("{address} {words}"))
}

fn restored_address(restored: &RestoredAddress) -> Value {
    let RestoredAddress { ways, more } = restored;
    let way = |source: &AddressSource| {
        let AddressSource { trusted, header, recursive } = source;
        let mut trusted: Vec<&str> = trusted.iter().map(String::as_str).collect();
        trusted.sort_unstable();
        let by = header.as_deref().unwrap_or("the PROXY protocol");
        let recursive = if *recursive { ", recursively" } else { "" };
        format!("client address from {by} of {}{recursive}", trusted.join(", "))
    };
    let words: Vec<String> = ways.iter().map(way).collect();
    let rest = more.then(|| "and in more ways".to_owned());
    Value { words: words.join(", or "), rest: rest.into_iter().collect() }
}

fn answer(response: &Response) -> String {
    let Response { status, kind } = response;
    match status {
        Some(status) => format!("{kind} {status}"),
        None => kind.clone(),
    }
}

fn fallback(fallback: &Fallback) -> Value {
    let Fallback { statuses, intercepts, words, span: _ } = fallback;
    let codes = statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    Value {
        words: format!("{codes} of the pool answered by {words}"),
        rest: intercepts.then(|| format!("{codes} that a server itself sends too")).into_iter().collect(),
    }
}

fn attempts(retries: &Retries) -> Value {
    let Retries { attempts, on, redispatch } = retries;
    let count = attempts.map_or_else(|| "unlimited".to_owned(), |attempts| attempts.value.to_string());
    let on = on.as_ref().map_or("", |on: &Setting<String>| on.value.as_str());
    let rest = redispatch.map(|after| format!("redispatch {}", after.value));
    Value { words: format!("{count} retries on {on}"), rest: rest.into_iter().collect() }
}

/// What the key of a hash policy leaves out.
fn hash_policy(policy: &HashPolicy) -> impl Iterator<Item = String> {
    let HashPolicy { key, by_address, rewritten, variety, terminal, span: _ } = policy;
    let variety = match variety {
        None => None,
        Some(KeyVariety::Listener) => Some(format!("{key} is the same for all of a listener")),
        Some(KeyVariety::Host) => Some(format!("{key} is one for each host name")),
    };
    [
        by_address.then(|| format!("{key} is the client address")),
        rewritten.as_ref().map(|rewritten| format!("{key} rewritten {rewritten}")),
        variety,
        terminal.then(|| format!("{key} is the last where it has a value")),
    ]
    .into_iter()
    .flatten()
}

/// How a name is put together, part by part; an entry of a map is a part of its own.
fn recipe(recipe: &Recipe) -> Vec<String> {
    let Recipe { parts } = recipe;
    let mut all = Vec::new();
    for part in parts {
        match part {
            RecipePart::Text(text) => all.push(format!("\"{text}\"")),
            RecipePart::Sample { of, steps } => {
                all.push(sampled(of));
                all.extend(steps.iter().flat_map(step));
            }
        }
    }
    all
}

fn sampled(of: &Sampled) -> String {
    match of {
        Sampled::Constant(text) => format!("\"{text}\""),
        Sampled::Host => "host".to_owned(),
        Sampled::Path => "path".to_owned(),
        Sampled::Target => "path with query".to_owned(),
        Sampled::Method => "method".to_owned(),
        Sampled::Header(name) => format!("header {name}"),
        Sampled::HeaderLine(name) => format!("header {name} as a whole"),
        Sampled::Query(name) => format!("query parameter {name}"),
        Sampled::Cookie(name) => format!("cookie {name}"),
        Sampled::Sni => "TLS server name".to_owned(),
        Sampled::Source => "client address".to_owned(),
        Sampled::Port => "port".to_owned(),
    }
}

fn step(step: &SampleStep) -> Vec<String> {
    let one = |text: String| vec![text];
    match step {
        SampleStep::Lower => one("in lower case".to_owned()),
        SampleStep::Upper => one("in upper case".to_owned()),
        SampleStep::HostOnly => one("without port".to_owned()),
        SampleStep::Field { index, delimiters } => one(format!("field {index} between \"{delimiters}\"")),
        SampleStep::Word { index, delimiters } => one(format!("word {index} between \"{delimiters}\"")),
        SampleStep::Map { fits, entries, default } => {
            let fits = match fits {
                KeyFits::Exactly => "by map",
                KeyFits::LongestPrefix => "by map of beginnings",
                KeyFits::Suffix => "by map of ends",
                KeyFits::Contains => "by map of parts",
                KeyFits::Segment => "by map of path segments",
                KeyFits::Label => "by map of labels",
                KeyFits::Regex => "by map of expressions",
            };
            let mut all = one(fits.to_owned());
            all.extend(entries.iter().map(|(key, value)| format!("{key} → {value}")));
            all.extend(default.as_ref().map(|default| format!("otherwise {default}")));
            all
        }
    }
}
