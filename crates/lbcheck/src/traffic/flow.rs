//! From listeners to pools: which part of the traffic goes where.
//!
//! The mix of requests is not in a configuration. Where a route depends on the request, its requests are a
//! [`Case`] of their own and shares are those among them; only what is drawn at random (`rand()`, weighted
//! clusters, `split_clients`) has a share that the configuration decides.

use std::collections::{BTreeMap, BTreeSet};

use super::proxies::proxy;
use super::shares::Certainty;
use crate::arithmetic::lcm;
use crate::model::{Action, Condition, Config, Listener, PoolId, Route, TableId, Target, WeightedTarget};
use crate::source::Span;
use crate::words;

/// Where the traffic of one listener goes.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Flow {
    /// Index into [`Config::listeners`].
    pub listener: usize,
    /// Kinds of requests in order of precedence, the one that no condition singles out last. One alone: all
    /// requests are treated alike.
    pub cases: Vec<Case>,
    /// Whether cases are left out: there are more of them than are followed.
    pub cut: bool,
}

/// Requests that meet the same conditions and no others.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Case {
    /// What they have in common, see [`in_words`]. Empty for those that no condition singles out.
    pub requests: Vec<Condition>,
    /// The route that singles them out.
    pub span: Option<Span>,
    /// Where they go. Shares sum to 1.
    pub arrivals: Vec<Arrival>,
    /// Copies sent elsewhere, as a part of these requests.
    pub copies: Vec<Arrival>,
    /// How sure the shares are.
    pub certainty: Certainty,
    /// What has to hold for them. `None`: nothing.
    pub assumption: Option<&'static str>,
}

/// A part of the requests of one case.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Arrival {
    /// Where it goes.
    pub to: Destination,
    /// Which part, from 0 to 1.
    pub share: f64,
}

/// Where requests go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Destination {
    /// To a pool.
    Pool(PoolId),
    /// To one endpoint of a pool, past its algorithm, by name.
    Endpoint(PoolId, String),
    /// The proxy answers by itself; how, in the dialect's words.
    Answer(String),
    /// To a name that this configuration has no pool for.
    Undefined(String),
    /// Decided at run time; by what, in the dialect's words.
    RunTime(String),
    /// No route takes it.
    Nowhere,
}

/// Routes followed from one listener, and cases made of them.
const MOST_ROUTES: usize = 5_000;
/// Conditions in one case of which every combination is looked up.
const MOST_CONDITIONS: usize = 8;

/// One route with all that has to hold for it.
struct Item<'a> {
    /// Interned conditions on the request, sorted.
    needs: Vec<u32>,
    /// The same in the order in which they are written.
    order: Vec<u32>,
    /// What is drawn: chances in millionths, with what Envoy divides by.
    chances: Vec<Chance>,
    route: &'a Route,
}

#[derive(Clone, Copy)]
struct Chance {
    ppm: u32,
    denominator: Option<u32>,
}

/// The flows of all listeners.
#[must_use]
pub fn flows(config: &Config) -> Vec<Flow> {
    config.listeners.iter().enumerate().map(|(index, listener)| flow(config, index, listener)).collect()
}

fn flow(config: &Config, index: usize, listener: &Listener) -> Flow {
    let mut walk = Walk { config, conditions: BTreeMap::new(), items: Vec::new(), cut: false };
    walk.table(listener.table);
    let Walk { conditions, items, cut, .. } = walk;
    let names: BTreeMap<u32, &Condition> =
        conditions.iter().map(|(condition, id)| (*id, *condition)).collect();
    let mut by_needs: BTreeMap<&[u32], Vec<usize>> = BTreeMap::new();
    for (at, item) in items.iter().enumerate() {
        by_needs.entry(&item.needs).or_default().push(at);
    }
    let mut cut = cut;
    let mut cases = Vec::new();
    let mut seen = BTreeSet::new();
    for (at, item) in items.iter().enumerate() {
        if item.needs.is_empty() || !seen.insert(&item.needs) {
            continue;
        }
        if item.needs.len() > MOST_CONDITIONS {
            cut = true;
            continue;
        }
        let taken = applicable(&item.needs, &by_needs);
        // An earlier route may take all of them; then there is nothing to say of this one.
        let shadowed = taken
            .iter()
            .take_while(|other| **other < at)
            .any(|other| items[*other].chances.is_empty() && items[*other].needs.len() < item.needs.len());
        if shadowed {
            continue;
        }
        let requests = item.order.iter().filter_map(|need| names.get(need).copied().cloned()).collect();
        cases.push(case(config, requests, Some(item.route.span), taken.iter().map(|&at| &items[at])));
    }
    let rest = by_needs.get([].as_slice()).map_or(&[][..], Vec::as_slice);
    cases.push(case(config, Vec::new(), None, rest.iter().map(|&at| &items[at])));
    Flow { listener: index, cases, cut }
}

/// Conditions that all hold, in words: "host is a.example and path begins with /api".
#[must_use]
pub fn in_words(conditions: &[Condition]) -> String {
    let words = conditions.iter().map(|condition| match condition {
        Condition::Any(_) => format!("({})", words::condition(condition)),
        condition => words::condition(condition),
    });
    words.collect::<Vec<_>>().join(" and ")
}

/// Items whose needs are among `needs`, in order.
fn applicable(needs: &[u32], by_needs: &BTreeMap<&[u32], Vec<usize>>) -> Vec<usize> {
    let mut found = Vec::new();
    let mut subset = Vec::with_capacity(needs.len());
    for bits in 0_u32..1 << needs.len() {
        subset.clear();
        subset
            .extend(needs.iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0).map(|(_, need)| *need));
        if let Some(items) = by_needs.get(subset.as_slice()) {
            found.extend_from_slice(items);
        }
    }
    found.sort_unstable();
    found
}

/// What has to hold on the way to a route: a few conditions for each table passed.
#[derive(Clone, Default)]
struct Needs {
    conditions: Vec<u32>,
    chances: Vec<Chance>,
}

struct Walk<'a> {
    config: &'a Config,
    conditions: BTreeMap<&'a Condition, u32>,
    items: Vec<Item<'a>>,
    cut: bool,
}

impl<'a> Walk<'a> {
    /// Collects the routes that `root` leads to, nested tables in their place.
    fn table(&mut self, root: TableId) {
        let config = self.config;
        let mut stack = vec![(root, 0, Needs::default())];
        while let Some((table, at, needs)) = stack.pop() {
            let Some(route) = config.table(table).routes.get(at) else { continue };
            if self.items.len() >= MOST_ROUTES || stack.len() > MOST_ROUTES {
                self.cut = true;
                return;
            }
            stack.push((table, at + 1, needs.clone()));
            let mut needs = needs;
            if !self.split(&route.when, route.chance_denominator, &mut needs) {
                continue;
            }
            match route.action {
                Action::Table(inner) => stack.push((inner, 0, needs)),
                _ => {
                    if let Action::Forward(Target::Pool { pool, .. }) = route.action {
                        self.answers_of(pool, route, &needs);
                    }
                    self.push(needs, route);
                }
            }
        }
    }

    fn push(&mut self, needs: Needs, route: &'a Route) {
        let mut sorted = needs.conditions.clone();
        sorted.sort_unstable();
        let item = Item { needs: sorted, order: needs.conditions, chances: needs.chances, route };
        self.items.push(item);
    }

    /// Collects what the pool's own rules answer before an endpoint is picked. Rules that name an endpoint are a
    /// matter of its shares.
    fn answers_of(&mut self, pool: PoolId, from: &Route, needs: &Needs) {
        let answers = |rule: &&'a Route| matches!(rule.action, Action::Respond(_) | Action::Local(_));
        for rule in self.config.pool(pool).overrides.iter().filter(answers) {
            if self.items.len() >= MOST_ROUTES {
                self.cut = true;
                return;
            }
            // What they test is not what the client sent.
            if from.rewrite.is_some() && rule.when != Condition::Always {
                self.cut = true;
                continue;
            }
            let mut needs = needs.clone();
            if self.split(&rule.when, rule.chance_denominator, &mut needs) {
                self.push(needs, rule);
            }
        }
    }

    /// Adds the parts of `condition` to what a route needs. False: it never holds.
    fn split(&mut self, condition: &'a Condition, denominator: Option<u32>, needs: &mut Needs) -> bool {
        let mut parts = vec![condition];
        while let Some(part) = parts.pop() {
            match part {
                Condition::Always => {}
                Condition::Never | Condition::Chance(0) => return false,
                Condition::All(all) => parts.extend(all.iter().rev()),
                Condition::Chance(ppm) => {
                    needs.chances.push(Chance { ppm: (*ppm).min(1_000_000), denominator })
                }
                Condition::Not(inner) if matches!(**inner, Condition::Chance(_)) => {
                    let Condition::Chance(ppm) = **inner else { continue };
                    needs.chances.push(Chance { ppm: 1_000_000_u32.saturating_sub(ppm), denominator: None });
                }
                other => {
                    let next = self.conditions.len() as u32;
                    let id = *self.conditions.entry(other).or_insert(next);
                    if !needs.conditions.contains(&id) {
                        needs.conditions.push(id);
                    }
                }
            }
        }
        true
    }
}

/// Follows requests for which exactly the routes `items` may apply.
fn case<'a>(
    config: &Config,
    requests: Vec<Condition>,
    span: Option<Span>,
    items: impl Iterator<Item = &'a Item<'a>>,
) -> Case {
    let mut steps: Vec<&Item<'_>> = Vec::new();
    for item in items {
        steps.push(item);
        if item.chances.is_empty() {
            break;
        }
    }
    let draws = steps.iter().map(|item| item.chances.len()).sum::<usize>();
    let splits = steps.iter().filter(|item| matches!(item.route.action, Action::Split(_))).count();
    let own = |item: &&Item<'_>| item.chances.iter().any(|chance| chance.denominator.is_some());
    let shared = steps.iter().any(own) && draws + splits > 1;
    let mut sums = Sums::default();
    let certainty = if shared {
        if with_one_number(&steps, &mut sums) { Certainty::Expected } else { Certainty::Unknown }
    } else {
        with_draws(&steps, &mut sums);
        if draws + splits > 0 { Certainty::Expected } else { Certainty::Exact }
    };
    let assumption = match certainty {
        Certainty::Exact => None,
        Certainty::Unknown => Some("one random number decides several times, in more ways than are followed"),
        _ => Some(proxy(config.dialect).assumption_of_draws()),
    };
    let mut arrivals = sums.arrivals();
    for arrival in &mut arrivals {
        if let Destination::Pool(pool) = arrival.to
            && let Some(response) = config.pool(pool).switched_off()
        {
            arrival.to = of_action(&Action::Respond(response));
        }
    }
    Case { requests, span, arrivals, copies: sums.copies(), certainty, assumption }
}

/// Parts of the traffic, in the order in which destinations first appear.
#[derive(Default)]
struct Sums {
    order: Vec<Destination>,
    parts: BTreeMap<Destination, f64>,
    copies: BTreeMap<Destination, f64>,
}

impl Sums {
    fn add(&mut self, to: Destination, part: f64) {
        if part <= 0.0 {
            return;
        }
        let order = &mut self.order;
        *self.parts.entry(to).or_insert_with_key(|to| {
            order.push(to.clone());
            0.0
        }) += part;
    }

    fn arrivals(&self) -> Vec<Arrival> {
        let arrival = |to: &Destination| Some(Arrival { to: to.clone(), share: *self.parts.get(to)? });
        self.order.iter().filter_map(arrival).collect()
    }

    fn copies(&self) -> Vec<Arrival> {
        self.copies.iter().map(|(to, share)| Arrival { to: to.clone(), share: *share }).collect()
    }

    /// `part` of the requests takes `route`.
    fn take(&mut self, route: &Route, part: f64) {
        match &route.action {
            Action::Split(arms) => {
                let total: u64 = arms.iter().map(|arm| arm.weight).sum();
                for arm in arms.iter().filter(|_| total > 0) {
                    self.add(destination(&arm.target), part * arm.weight as f64 / total as f64);
                }
                if total == 0 {
                    self.add(Destination::Nowhere, part);
                }
            }
            action => self.add(of_action(action), part),
        }
        self.copy(route, part);
    }

    fn copy(&mut self, route: &Route, part: f64) {
        for mirror in &route.mirrors {
            let copied = part * f64::from(mirror.share_ppm) / 1_000_000.0;
            *self.copies.entry(destination(&mirror.target)).or_default() += copied;
        }
    }
}

fn of_action(action: &Action) -> Destination {
    match action {
        Action::Forward(target) => destination(target),
        Action::Endpoint { pool, endpoint } => Destination::Endpoint(*pool, endpoint.value.clone()),
        Action::Respond(response) => Destination::Answer(match response.status {
            Some(status) => format!("{} {status}", response.kind),
            None => response.kind.clone(),
        }),
        Action::Local(what) => Destination::Answer(what.clone()),
        Action::Opaque(what) => Destination::RunTime(what.clone()),
        // These lead on, and are followed by the caller.
        Action::Table(_) | Action::Split(_) => Destination::Nowhere,
    }
}

fn destination(target: &Target) -> Destination {
    match target {
        Target::Pool { pool, .. } => Destination::Pool(*pool),
        Target::Undefined(name) => Destination::Undefined(name.value.clone()),
        Target::Dynamic { text, .. } => Destination::RunTime(text.value.clone()),
    }
}

/// Every chance is drawn anew.
fn with_draws(steps: &[&Item<'_>], sums: &mut Sums) {
    let mut left = 1.0;
    for item in steps {
        let chance: f64 = item.chances.iter().map(|chance| f64::from(chance.ppm) / 1_000_000.0).product();
        sums.take(item.route, left * chance);
        left *= 1.0 - chance;
    }
    sums.add(Destination::Nowhere, if left < 1e-12 { 0.0 } else { left });
}

/// Values that Envoy's random number is followed over.
const MOST_VALUES: u64 = 1_000_000;

/// Envoy draws one number for a request. A fraction holds where its remainder is below the numerator, and an arm of
/// a split is found by the remainder of the weights' sum, so every remainder is tried. False: there are too many.
fn with_one_number(steps: &[&Item<'_>], sums: &mut Sums) -> bool {
    let total = |arms: &[WeightedTarget]| arms.iter().map(|arm| arm.weight).sum::<u64>();
    let moduli = steps.iter().flat_map(|item| {
        let fractions = item.chances.iter().filter_map(|chance| chance.denominator.map(u64::from));
        let split = match &item.route.action {
            Action::Split(arms) => Some(total(arms)),
            _ => None,
        };
        fractions.chain(split)
    });
    let Some(period) = lcm(moduli, MOST_VALUES) else { return false };
    let mut parts = vec![0.0_f64; steps.len()];
    let mut arms: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    let mut rest = 0.0_f64;
    for value in 0..period {
        let mut left = 1.0_f64;
        for (at, item) in steps.iter().enumerate() {
            let chance = item.chances.iter().map(|chance| match chance.denominator.map(u64::from) {
                Some(denominator) => {
                    let numerator = u64::from(chance.ppm) * denominator / 1_000_000;
                    if value % denominator < numerator { 1.0 } else { 0.0 }
                }
                // A filter draws a number of its own.
                None => f64::from(chance.ppm) / 1_000_000.0,
            });
            let taken = left * chance.product::<f64>();
            if taken <= 0.0 {
                continue;
            }
            parts[at] += taken;
            left -= taken;
            if let Action::Split(targets) = &item.route.action {
                let mut rest = value % total(targets);
                for (arm, target) in targets.iter().enumerate() {
                    if rest < target.weight {
                        *arms.entry((at, arm)).or_default() += taken;
                        break;
                    }
                    rest -= target.weight;
                }
            }
            if left <= 0.0 {
                break;
            }
        }
        rest += left.max(0.0);
    }
    let part = |count: f64| count / period as f64;
    for (at, item) in steps.iter().enumerate() {
        match &item.route.action {
            Action::Split(targets) => {
                for (arm, target) in targets.iter().enumerate() {
                    let count = arms.get(&(at, arm)).copied().unwrap_or(0.0);
                    sums.add(destination(&target.target), part(count));
                }
                sums.copy(item.route, part(parts[at]));
            }
            _ => sums.take(item.route, part(parts[at])),
        }
    }
    sums.add(Destination::Nowhere, part(rest));
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;
    use crate::load::MemoryLoader;
    use crate::read::{ReadOptions, read};
    use crate::source::Sources;

    fn config(dialect: Dialect, text: &str) -> Config {
        let mut sources = Sources::new();
        let loader = MemoryLoader::one("config", text.as_bytes().to_vec());
        read(&loader, &mut sources, &["config".to_owned()], &ReadOptions::new(dialect)).config
    }

    /// Cases as text: "condition: pool share, …".
    fn shown(config: &Config) -> Vec<String> {
        let name = |to: &Destination| match to {
            Destination::Pool(pool) => config.pool(*pool).name.value.clone(),
            Destination::Answer(answer) => format!("={answer}"),
            other => format!("{other:?}"),
        };
        flows(config)
            .iter()
            .flat_map(|flow| &flow.cases)
            .map(|case| {
                let parts: Vec<String> = case
                    .arrivals
                    .iter()
                    .map(|arrival| format!("{} {:.1}", name(&arrival.to), arrival.share * 100.0))
                    .collect();
                format!("{}: {}", in_words(&case.requests), parts.join(", "))
            })
            .collect()
    }

    #[test]
    fn chances_of_haproxy_are_drawn_one_after_the_other() {
        let text = "defaults\n  mode http\nfrontend f\n  bind :80\n  use_backend api if { path_beg /api }\n  use_backend a if { rand(100) lt 10 }\n  use_backend b if { rand(100) lt 10 }\n  default_backend c\nbackend a\nbackend b\nbackend c\nbackend api\n";
        assert_eq!(
            shown(&config(Dialect::HaProxy, text)),
            ["path begins with /api: api 100.0", ": a 10.0, b 9.0, c 81.0"]
        );
    }

    #[test]
    fn answers_of_a_backend_are_answers_of_the_listener() {
        let text = "defaults\n  mode http\nfrontend f\n  bind :80\n  use_backend gone if { path_beg /gone }\n  default_backend a\nbackend a\n  http-request deny if { path_beg /no }\n  http-request redirect location / if { rand(100) lt 10 }\nbackend gone\n  http-request return status 410\n";
        assert_eq!(
            shown(&config(Dialect::HaProxy, text)),
            [
                "path begins with /gone: =return 410 100.0",
                "path begins with /no: =deny 403 100.0",
                ": =redirect 302 10.0, a 90.0"
            ]
        );
    }

    fn envoy(routes: &str) -> Config {
        let clusters: String = ["a", "b", "c"]
            .iter()
            .map(|name| format!("  - {{name: {name}, connect_timeout: 1s}}\n"))
            .collect();
        config(
            Dialect::Envoy,
            &format!(
                "static_resources:\n  listeners:\n  - name: l\n    address: {{socket_address: {{address: 127.0.0.1, port_value: 80}}}}\n    filter_chains:\n    - filters:\n      - name: hcm\n        typed_config:\n          \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager\n          stat_prefix: x\n          http_filters: [{{name: router, typed_config: {{\"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}}}]\n          route_config:\n            virtual_hosts:\n            - name: v\n              domains: [\"*\"]\n              routes:\n{routes}  clusters:\n{clusters}"
            ),
        )
    }

    fn route(fraction: u32, action: &str) -> String {
        let prefix = "              - match: {prefix: /";
        let runtime = match fraction {
            100 => String::new(),
            part => format!(", runtime_fraction: {{default_value: {{numerator: {part}}}}}"),
        };
        format!("{prefix}{runtime}}}\n                route: {action}\n")
    }

    #[test]
    fn one_number_of_envoy_serves_all_fractions_and_splits() {
        let chain = [(30, "{cluster: a}"), (30, "{cluster: b}"), (100, "{cluster: c}")];
        let routes: String = chain.iter().map(|(part, action)| route(*part, action)).collect();
        assert_eq!(shown(&envoy(&routes)), [": a 30.0, c 70.0"]);
        let half = "{weighted_clusters: {clusters: [{name: a, weight: 50}, {name: b, weight: 50}]}}";
        let routes = route(50, half) + &route(100, "{cluster: c}");
        assert_eq!(shown(&envoy(&routes)), [": a 50.0, c 50.0"]);
        let uneven = "{weighted_clusters: {clusters: [{name: a, weight: 7}, {name: b, weight: 6}]}}";
        let routes = route(50, uneven) + &route(100, "{cluster: c}");
        assert_eq!(shown(&envoy(&routes)), [": a 26.9, b 23.1, c 50.0"]);
    }

    #[test]
    fn locations_are_cases_within_their_server() {
        let text = "events {}\nhttp { upstream a { server 10.0.0.1:80; } upstream b { server 10.0.0.2:80; }\n split_clients $request_id $s { 25% a; * b; }\n server { listen 80; server_name x.test; location / { proxy_pass http://$s; } location /api/ { proxy_pass http://a; } } }";
        let cases = shown(&config(Dialect::Nginx, text));
        assert!(cases.iter().any(|case| case.ends_with("path begins with /api/: a 100.0")), "{cases:?}");
        assert!(cases.iter().any(|case| case.ends_with(": a 25.0, b 75.0")), "{cases:?}");
        // Everybody falls where the constant does: 2810847099 of 4294967295, beyond a quarter.
        let constant = config(Dialect::Nginx, &text.replace("$request_id", "/"));
        assert!(shown(&constant).iter().any(|case| case.ends_with(": b 100.0")), "{:?}", shown(&constant));
    }
}
