//! Routes before and after.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::pairing::{by_old, describers};
use super::settings::{Difference, differing};
use super::witness::Witness;
use super::{Comparison, Outcome, PoolPair};
use crate::describe::{Describer, Value, binds};
use crate::diagnostic::Subject;
use crate::model::{
    Action, Condition, Config, ErrorTarget, Listener, Match, PoolId, Route, RouteTable, TableId, Target,
    TextMatch, WeightedTarget,
};
use crate::report::{Change, ChangeKind, Effect, RouteShift};
use crate::source::Span;
use crate::traffic::Finder;
use crate::words;

/// Building and trying out a witness walks the routes again; past this many nobody reads them.
const MAX_WITNESSES: usize = 50;

/// Routes of one condition in one table that are looked through for the same target.
const MAX_ALIKE: usize = 16;

/// A route, a table's order or a listener that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteChange {
    /// What happened.
    pub kind: RouteChangeKind,
    /// The route or listener in the dialect's words.
    pub label: String,
    /// The old side.
    pub old: Option<RouteEnd>,
    /// The new side.
    pub new: Option<RouteEnd>,
    /// A request that takes this very route on both sides.
    pub witness: Option<String>,
}

/// What happened to a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteChangeKind {
    /// A listener came.
    ListenerAdded,
    /// A listener's addresses changed.
    ListenerChanged,
    /// A listener went.
    ListenerRemoved,
    /// A route came.
    Added,
    /// The same route does something else.
    Retargeted,
    /// Because routes came, went or changed places, this request takes another one.
    Rerouted,
    /// The same requests go to the same place in another manner: mirrors, hash policy, retries, timeout.
    Adjusted,
    /// A route went.
    Removed,
    /// The order of routes changed; the first match wins.
    Reordered,
}

/// One side of a route.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteEnd {
    /// What it does, in words.
    pub words: String,
    /// The pools it leads to, by id of that side.
    pub pools: Vec<PoolId>,
    /// The line or object.
    pub span: Span,
    /// Whether it takes whatever reaches it.
    pub always: bool,
}

/// Everything that differs in routing.
pub(super) fn compare(old: &Config, new: &Config, pairs: &[PoolPair]) -> Vec<RouteChange> {
    let by_old = by_old(pairs, old.pools.len());
    let mut walk = Walk {
        old,
        new,
        describers: describers(old, new, &by_old),
        own: Describer::new(old),
        by_old,
        before: Finder::new(old),
        after: Finder::new(new),
        tried: 0,
        shown: BTreeSet::new(),
        probes: Vec::new(),
        changes: Vec::new(),
    };
    for (before, after) in pair_listeners(old, new) {
        walk.listener(before, after);
    }
    walk.changes
}

struct Walk<'a> {
    old: &'a Config,
    new: &'a Config,
    by_old: Vec<Option<PoolId>>,
    /// What describes each side, the old one by the names that its pools have now.
    describers: (Describer<'a>, Describer<'a>),
    /// What describes the old side by the names that its pools had.
    own: Describer<'a>,
    /// Where requests go on each side.
    before: Finder<'a>,
    after: Finder<'a>,
    /// Witnesses tried so far.
    tried: usize,
    /// Requests already shown to go somewhere else.
    shown: BTreeSet<String>,
    /// Requests worth trying: those of routes that came, went or moved.
    probes: Vec<Witness>,
    changes: Vec<RouteChange>,
}

/// Pairs listeners by name, what is left by address. New ones in order, then removed ones.
fn pair_listeners<'a>(old: &'a Config, new: &'a Config) -> Vec<(Option<&'a Listener>, Option<&'a Listener>)> {
    let mut taken = vec![false; old.listeners.len()];
    let mut partner: Vec<Option<usize>> = vec![None; new.listeners.len()];
    let name = |listener: &Listener| listener.name.value.clone();
    let address = |listener: &Listener| binds(&listener.binds);
    for key in [&name as &dyn Fn(&Listener) -> String, &address] {
        let mut waiting: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, listener) in old.listeners.iter().enumerate().rev() {
            if !taken[index] {
                waiting.entry(key(listener)).or_default().push(index);
            }
        }
        for (index, listener) in new.listeners.iter().enumerate() {
            if partner[index].is_none()
                && let Some(found) = waiting.get_mut(&key(listener)).and_then(Vec::pop)
            {
                partner[index] = Some(found);
                taken[found] = true;
            }
        }
    }
    let mut pairs: Vec<_> = new
        .listeners
        .iter()
        .zip(partner)
        .map(|(listener, partner)| (partner.map(|index| &old.listeners[index]), Some(listener)))
        .collect();
    let gone = old.listeners.iter().zip(taken).filter(|(_, taken)| !taken);
    pairs.extend(gone.map(|(listener, _)| (Some(listener), None)));
    pairs
}

/// Pairs of routes that changed places and are looked at for a request that both take.
const MAX_SWAPPED: usize = 10_000;

/// Whether any two routes that changed places may take the same request. `order` gives the old places in new order.
fn order_counts(old: &RouteTable, order: &[usize]) -> bool {
    let swapped = order.iter().enumerate().flat_map(|(at, &first)| {
        order.iter().skip(at + 1).filter(move |&&then| then < first).map(move |&then| (then, first))
    });
    let mut looked_at = 0;
    swapped.into_iter().any(|(first, then)| {
        looked_at += 1;
        match (old.routes.get(first), old.routes.get(then)) {
            (Some(first), Some(then)) => looked_at > MAX_SWAPPED || !first.when.excludes(&then.when),
            _ => true,
        }
    })
}

impl<'a> Walk<'a> {
    fn listener(&mut self, old: Option<&'a Listener>, new: Option<&'a Listener>) {
        let Some(named) = new.or(old) else { return };
        let label = format!("{} `{}`", self.new.dialect.listener_noun(), named.name.value);
        let end = |listener: &Listener| RouteEnd {
            words: binds(&listener.binds),
            pools: Vec::new(),
            span: listener.span,
            always: false,
        };
        match (old, new) {
            (Some(old), Some(new)) => {
                let described = (self.describers.0.listener(old), self.describers.1.listener(new));
                for difference in differing(described.0, described.1) {
                    let kind = RouteChangeKind::ListenerChanged;
                    self.differs(kind, &label, (old.span, new.span), difference);
                }
                self.tables(old, new, &label);
            }
            _ => {
                let kind = match old {
                    None => RouteChangeKind::ListenerAdded,
                    Some(_) => RouteChangeKind::ListenerRemoved,
                };
                let (old, new) = (old.map(end), new.map(end));
                self.changes.push(RouteChange { kind, label, old, new, witness: None });
            }
        }
    }

    /// Walks both table trees side by side. Tables may be shared, so each pair is seen once.
    fn tables(&mut self, old: &'a Listener, new: &'a Listener, label: &str) {
        let roots = (old.table, new.table);
        let start = Witness::new(new.binds.first().is_some_and(|bind| bind.tls));
        let mut seen = BTreeSet::new();
        let mut waiting = vec![(old.table, new.table, start)];
        // Where routing goes on by another way than from table to table.
        let mut further = VecDeque::new();
        while let Some((before, after, witness)) = waiting.pop().or_else(|| further.pop_front()) {
            if !seen.insert((before, after)) {
                continue;
            }
            self.table(before, after, label);
            let inner = self.routes(before, after, roots, &witness, &mut further);
            // Last in, first out: push in reverse to report in the order of the file.
            waiting.extend(inner.into_iter().rev());
        }
        for probe in std::mem::take(&mut self.probes) {
            self.probe(roots, &probe);
        }
    }

    /// What holds for a table as a whole.
    fn table(&mut self, before: TableId, after: TableId, listener: &str) {
        let described = (self.describers.0.table(before), self.describers.1.table(after));
        let (old, new) = (self.old.table(before), self.new.table(after));
        let head = |table: &RouteTable| table.routes.first().map(|route| route.span);
        let (Some(old_span), Some(new_span)) = (head(old), head(new)) else { return };
        let label = if new.label.is_empty() { listener } else { &new.label };
        for difference in differing(described.0, described.1) {
            self.differs(RouteChangeKind::ListenerChanged, label, (old_span, new_span), difference);
        }
    }

    /// Notes one setting that differs.
    fn differs(&mut self, kind: RouteChangeKind, label: &str, spans: (Span, Span), difference: Difference) {
        let Difference { kind: _, old, new } = difference;
        let end = |(words, place): (Option<String>, Option<Span>), span| RouteEnd {
            words: words.unwrap_or_default(),
            pools: Vec::new(),
            span: place.unwrap_or(span),
            always: false,
        };
        let (old, new) = (Some(end(old, spans.0)), Some(end(new, spans.1)));
        self.changes.push(RouteChange { kind, label: label.to_owned(), old, new, witness: None });
    }

    /// Compares two tables route by route and gives the pairs of inner tables.
    fn routes(
        &mut self,
        before: TableId,
        after: TableId,
        roots: (TableId, TableId),
        witness: &Witness,
        further: &mut VecDeque<(TableId, TableId, Witness)>,
    ) -> Vec<(TableId, TableId, Witness)> {
        let (old_table, new_table) = (self.old.table(before), self.new.table(after));
        let partners = self.pair_routes(old_table, new_table);
        let mut taken = vec![false; old_table.routes.len()];
        let mut order = Vec::new();
        let mut inner = Vec::new();
        for (partner, new) in partners.into_iter().zip(&new_table.routes) {
            let under = witness.under(&new.when);
            let Some(index) = partner else {
                let end = whole(&self.describers.1, new);
                self.push(RouteChangeKind::Added, new, None, Some(end), None);
                self.probe_later(self.new, new, &under);
                continue;
            };
            taken[index] = true;
            order.push(index);
            let old = &old_table.routes[index];
            further.extend(goes_on(old, new).map(|(before, after)| (before, after, under.clone())));
            match (&old.action, &new.action) {
                (Action::Table(before), Action::Table(after)) => inner.push((*before, *after, under)),
                (Action::Table(_), _) | (_, Action::Table(_)) => {
                    // Rules instead of one answer, or the other way round: requests tell what that does.
                    let end = whole(&self.own, old);
                    self.push(RouteChangeKind::Removed, old, Some(end), None, None);
                    let end = whole(&self.describers.1, new);
                    self.push(RouteChangeKind::Added, new, None, Some(end), None);
                    self.probe_later(self.old, old, &under);
                    self.probe_later(self.new, new, &under);
                    continue;
                }
                (before, after) if !self.same_action(before, after) => {
                    let (old_end, new_end) = self.ends(old, new);
                    let shown = self.witness(roots, &under, old, new);
                    self.push(RouteChangeKind::Retargeted, new, Some(old_end), Some(new_end), shown);
                }
                _ => {}
            }
            let described = (self.describers.0.route(old), self.describers.1.route(new));
            for difference in differing(described.0, described.1) {
                let spans = (old.span, new.span);
                self.differs(RouteChangeKind::Adjusted, &new.label, spans, difference);
            }
        }
        for (old, _) in old_table.routes.iter().zip(&taken).filter(|(_, taken)| !**taken) {
            let end = whole(&self.own, old);
            self.push(RouteChangeKind::Removed, old, Some(end), None, None);
            self.probe_later(self.old, old, &witness.under(&old.when));
        }
        if !order.is_sorted() && !disjoint(new_table) {
            self.reordered(old_table, new_table, &order, witness);
        }
        inner
    }

    /// For each new route its old one: first by condition and target, then by condition alone. A rule put
    /// before another of the same condition so leaves that one what it was.
    fn pair_routes(&self, old: &RouteTable, new: &RouteTable) -> Vec<Option<usize>> {
        let mut partners = vec![None; new.routes.len()];
        let mut taken = vec![false; old.routes.len()];
        for with_action in [true, false] {
            let mut waiting: BTreeMap<&Condition, VecDeque<usize>> = BTreeMap::new();
            for (index, route) in old.routes.iter().enumerate() {
                if !taken[index] {
                    waiting.entry(&route.when).or_default().push_back(index);
                }
            }
            for (partner, route) in partners.iter_mut().zip(&new.routes) {
                if partner.is_some() {
                    continue;
                }
                let Some(queue) = waiting.get_mut(&route.when) else { continue };
                let fits = |index: &usize| {
                    !with_action || self.same_action(&old.routes[*index].action, &route.action)
                };
                // A condition that many rules share is looked through a little way only.
                let Some(at) = queue.iter().take(MAX_ALIKE).position(fits) else { continue };
                if let Some(index) = queue.remove(at) {
                    *partner = Some(index);
                    taken[index] = true;
                }
            }
        }
        partners
    }

    fn reordered(&mut self, old: &RouteTable, new: &RouteTable, order: &[usize], witness: &Witness) {
        let Some(at) = order.windows(2).position(|pair| pair[0] > pair[1]) else { return };
        if !order_counts(old, order) {
            return;
        }
        let (Some(ahead), Some(behind)) = (old.routes.get(order[at + 1]), old.routes.get(order[at])) else {
            return;
        };
        let span = |wanted: &Route| {
            new.routes.iter().find(|route| route.when == wanted.when).map_or(wanted.span, |route| route.span)
        };
        let end = |first: &Route, then: &Route, span| RouteEnd {
            words: format!("`{}` before `{}`", first.label, then.label),
            pools: Vec::new(),
            span,
            always: false,
        };
        self.changes.push(RouteChange {
            kind: RouteChangeKind::Reordered,
            label: if new.label.is_empty() { "order".to_owned() } else { format!("order in {}", new.label) },
            old: Some(end(ahead, behind, ahead.span)),
            new: Some(end(behind, ahead, span(behind))),
            witness: None,
        });
        for route in &new.routes {
            self.probes.push(witness.under(&route.when));
        }
    }

    fn push(
        &mut self,
        kind: RouteChangeKind,
        route: &Route,
        old: Option<RouteEnd>,
        new: Option<RouteEnd>,
        witness: Option<String>,
    ) {
        self.changes.push(RouteChange { kind, label: route.label.clone(), old, new, witness });
    }

    /// The request of `witness`, if it takes this very route on both sides.
    fn witness(
        &mut self,
        roots: (TableId, TableId),
        witness: &Witness,
        old: &Route,
        new: &Route,
    ) -> Option<String> {
        if self.tried >= MAX_WITNESSES {
            return None;
        }
        self.tried += 1;
        let request = witness.filled();
        let takes = |finder: &mut Finder<'_>, root, route: &Route| {
            finder.find(root, &request).is_some_and(|found| found.span == route.span)
        };
        let text = witness.to_text();
        let proven = takes(&mut self.before, roots.0, old) && takes(&mut self.after, roots.1, new);
        (proven && self.shown.insert(text.clone())).then_some(text)
    }

    /// Notes requests to try: one that reaches the route, and where it leads to rules of its own, one for each of the
    /// first of them.
    fn probe_later(&mut self, config: &Config, route: &Route, witness: &Witness) {
        if let Action::Table(table) = route.action {
            let inner = config.table(table).routes.iter().take(MAX_ALIKE);
            self.probes.extend(inner.map(|route| witness.under(&route.when)));
        }
        self.probes.push(witness.clone());
    }

    /// Reports the request of `witness` if it provably goes somewhere else now.
    fn probe(&mut self, roots: (TableId, TableId), witness: &Witness) {
        if self.tried >= MAX_WITNESSES {
            return;
        }
        self.tried += 1;
        let request = witness.filled();
        let old = self.before.find(roots.0, &request);
        let new = self.after.find(roots.1, &request);
        let (Some(old), Some(new)) = (old, new) else { return };
        let text = witness.to_text();
        if self.same_action(&old.action, &new.action) || !self.shown.insert(text.clone()) {
            return;
        }
        let (old_end, new_end) = self.ends(old, new);
        self.changes.push(RouteChange {
            kind: RouteChangeKind::Rerouted,
            label: new.label.clone(),
            old: Some(old_end),
            new: Some(new_end),
            witness: Some(text),
        });
    }

    /// Both sides of a route, each by the names that its pools have there.
    fn ends(&self, old: &Route, new: &Route) -> (RouteEnd, RouteEnd) {
        let (before, after) = (self.own.action(&old.action), self.describers.1.action(&new.action));
        let (before, after) = Value::contrast(&before, &after);
        (end(old, before), end(new, after))
    }

    fn same_action(&self, old: &Action, new: &Action) -> bool {
        match (old, new) {
            (Action::Forward(old), Action::Forward(new)) => self.same_target(old, new),
            (Action::Split(old), Action::Split(new)) => self.same_split(old, new),
            (Action::Endpoint { pool: a, endpoint: x }, Action::Endpoint { pool: b, endpoint: y }) => {
                self.by_old[a.0 as usize] == Some(*b) && x.value == y.value
            }
            (Action::Respond(old), Action::Respond(new)) => old == new,
            (Action::Local(old), Action::Local(new)) | (Action::Opaque(old), Action::Opaque(new)) => {
                old == new
            }
            _ => false,
        }
    }

    fn same_target(&self, old: &Target, new: &Target) -> bool {
        match (old, new) {
            (Target::Pool { pool: old, .. }, Target::Pool { pool: new, .. }) => {
                self.by_old[old.0 as usize] == Some(*new)
            }
            (Target::Undefined(old), Target::Undefined(new)) => old.value == new.value,
            (
                Target::Dynamic { text: old, candidates: from, recipe: by },
                Target::Dynamic { text: new, candidates: to, recipe },
            ) => {
                let became = from.iter().map(|pool| self.by_old[pool.0 as usize]);
                old.value == new.value && by == recipe && became.eq(to.iter().map(|pool| Some(*pool)))
            }
            _ => false,
        }
    }

    /// Arms in any order with weights in the same proportion make the same split.
    fn same_split(&self, old: &[WeightedTarget], new: &[WeightedTarget]) -> bool {
        let total = |arms: &[WeightedTarget]| arms.iter().map(|arm| u128::from(arm.weight)).sum::<u128>();
        let (old_total, new_total) = (total(old), total(new));
        if old.len() != new.len() {
            return false;
        }
        let canonical = |arm: &WeightedTarget, is_old: bool| match &arm.target {
            Target::Pool { pool, .. } if is_old => self.by_old[pool.0 as usize]
                .map_or_else(|| format!("gone {}", pool.0), |id| format!("pool {}", id.0)),
            Target::Pool { pool, .. } => format!("pool {}", pool.0),
            Target::Undefined(name) => format!("undefined {}", name.value),
            Target::Dynamic { text, .. } => format!("dynamic {}", text.value),
        };
        let sorted = |arms: &[WeightedTarget], is_old: bool, scale: u128| {
            let mut arms: Vec<(String, u128)> = arms
                .iter()
                .map(|arm| (canonical(arm, is_old), u128::from(arm.weight).saturating_mul(scale)))
                .collect();
            arms.sort_unstable();
            arms
        };
        sorted(old, true, new_total) == sorted(new, false, old_total)
    }
}

/// Whether no request can match two routes of the table, so that their order does not matter: every condition
/// tests the same property for a text, and no text begins with another.
fn disjoint(table: &RouteTable) -> bool {
    let mut property = None;
    let mut texts = Vec::new();
    // What is always taken may stand last; anywhere else it hides what comes after it.
    let always = |route: &Route| route.when == Condition::Always;
    let tail = table.routes.iter().rev().take_while(|route| always(route)).count();
    for route in table.routes.iter().rev().skip(tail) {
        let (kind, pattern) = match &route.when {
            Condition::Is(Match::Host(pattern)) => (0, pattern),
            Condition::Is(Match::Path(pattern)) => (1, pattern),
            Condition::Is(Match::Sni(pattern)) => (2, pattern),
            _ => return false,
        };
        match pattern {
            TextMatch::Exact(text) | TextMatch::Prefix(text) | TextMatch::SegmentPrefix(text) => {
                texts.push(text)
            }
            _ => return false,
        }
        if *property.get_or_insert(kind) != kind {
            return false;
        }
    }
    texts.sort_unstable();
    // In order, a text that begins another one stands right before such a one.
    texts.windows(2).all(|pair| !pair[1].starts_with(pair[0].as_str()))
}

fn pools(action: &Action) -> Vec<PoolId> {
    let of = |target: &Target| match target {
        Target::Pool { pool, .. } => Some(*pool),
        Target::Undefined(_) | Target::Dynamic { .. } => None,
    };
    match action {
        Action::Endpoint { pool, .. } => vec![*pool],
        other => other.targets().filter_map(of).collect(),
    }
}

fn end(route: &Route, words: String) -> RouteEnd {
    RouteEnd { words, pools: pools(&route.action), span: route.span, always: route.when == Condition::Always }
}

/// A route that came or went, with its condition spelt out: the names of conditions may hide what changed.
fn whole(describer: &Describer<'_>, route: &Route) -> RouteEnd {
    let mut end = end(route, describer.action(&route.action).words);
    if route.when != Condition::Always {
        end.words = format!("{} if {}", end.words, words::condition(&route.when));
    }
    end
}

/// The tables in which routing goes on by other ways than the action, before and after.
fn goes_on(old: &Route, new: &Route) -> impl Iterator<Item = (TableId, TableId)> {
    let tables = |route: &Route| {
        let after_error = match route.on_error.as_ref().map(|on_error| &on_error.to) {
            Some(ErrorTarget::Table(table)) => Some(*table),
            Some(ErrorTarget::Path | ErrorTarget::Answer(_)) | None => None,
        };
        let path_change = route.path_change.as_ref().map(|change| change.then.search());
        [route.goes_on, route.from_inside, path_change, after_error]
    };
    tables(old).into_iter().zip(tables(new)).filter_map(|(old, new)| Some((old?, new?)))
}

/// Puts routing changes into the report.
pub(super) fn report(comparison: &Comparison<'_>, outcome: &mut Outcome) {
    for change in &comparison.routes {
        if let (RouteChangeKind::Retargeted | RouteChangeKind::Rerouted, Some(old), Some(new)) =
            (change.kind, &change.old, &change.new)
        {
            outcome.routes.push(RouteShift {
                witness: change.witness.clone(),
                route: change.label.clone(),
                old: old.words.clone(),
                new: new.words.clone(),
                old_span: Some(old.span),
                new_span: Some(new.span),
            });
        }
        let kind = match change.kind {
            RouteChangeKind::ListenerAdded => ChangeKind::ListenerAdded,
            RouteChangeKind::ListenerChanged => ChangeKind::ListenerChanged,
            RouteChangeKind::ListenerRemoved => ChangeKind::ListenerRemoved,
            RouteChangeKind::Added => ChangeKind::RouteAdded,
            RouteChangeKind::Retargeted | RouteChangeKind::Adjusted => ChangeKind::RouteChanged,
            RouteChangeKind::Removed => ChangeKind::RouteRemoved,
            RouteChangeKind::Reordered => ChangeKind::RoutesReordered,
            // Shown by the routes that made it so.
            RouteChangeKind::Rerouted => continue,
        };
        let words = |end: &Option<RouteEnd>| {
            end.as_ref().map(|end| match end.words.as_str() {
                "" => change.label.clone(),
                words => format!("{}: {words}", change.label),
            })
        };
        outcome.changes.push(Change {
            kind,
            effect: Effect::Behavioural,
            subject: Subject::default(),
            old: words(&change.old),
            new: words(&change.new),
            old_span: change.old.as_ref().map(|end| end.span),
            new_span: change.new.as_ref().map(|end| end.span),
        });
    }
}
