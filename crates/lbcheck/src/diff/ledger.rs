//! Every difference between two configurations, statement by statement, whatever it means.
//!
//! Scopes are paired by their names and compared by what holds in them, inherited statements included. What the other
//! comparators tell in their own words claims its entries; what nobody claims is told as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::effect::EffectClass;
use crate::model::{Config, Target};
use crate::report::{Change, Fate, RouteShift, StatementChange, Written};
use crate::source::Span;
use crate::statement::{Inheritance, Scope, ScopeId, Statement, Statements};

/// Everything that differs. `renamed` gives the new label of a scope that only changed its name.
pub(crate) fn differences(
    old: &Statements,
    new: &Statements,
    renamed: &BTreeMap<String, String>,
) -> Vec<StatementChange> {
    let (old, new) = (View::new(old, renamed), View::new(new, &BTreeMap::new()));
    let mut found = Found::default();
    for (path, &id) in &new.paths {
        match old.paths.get(path) {
            Some(&before) => found.compare(&old, before, &new, id),
            None if new.is_outermost_without(id, &old.paths) => found.whole(Fate::Added, &new, id),
            None => {}
        }
    }
    found.scopes_in_order(&old, &new);
    for (path, &id) in &old.paths {
        if !new.paths.contains_key(path) && old.is_outermost_without(id, &new.paths) {
            found.whole(Fate::Removed, &old, id);
        }
    }
    found.finish()
}

/// Those of `entries` that no change tells of in its own words.
///
/// A change claims a statement whose value it speaks of, and what is written inside an object that came or went.
pub(crate) fn unclaimed(
    entries: Vec<StatementChange>,
    changes: &[Change],
    routes: &[RouteShift],
    configs: (&Config, &Config),
) -> Vec<StatementChange> {
    let spoken = Spoken::new(changes);
    let of_changes = changes.iter().map(|change| {
        let whole = change.kind.as_str().ends_with("-added") || change.kind.as_str().ends_with("-removed");
        (whole, change.old_span, change.new_span)
    });
    let of_routes = routes.iter().map(|route| (false, route.old_span, route.new_span));
    let (mut old, mut new) = (Claims::default(), Claims::default());
    for (whole, before, after) in of_changes.chain(of_routes) {
        before.into_iter().for_each(|span| old.add(whole, span));
        after.into_iter().for_each(|span| new.add(whole, span));
    }
    old.targets(configs.0);
    new.targets(configs.1);
    old.sort();
    new.sort();
    let told = |entry: &StatementChange| {
        let side =
            |side: &Option<Written>, claims: &Claims| side.as_ref().is_some_and(|one| claims.cover(one.span));
        side(&entry.old, &old) || side(&entry.new, &new) || spoken.of(entry)
    };
    entries.into_iter().filter(|entry| !told(entry)).collect()
}

/// Changes of a whole object, by where it stands: they speak of a statement in it where both of its values are among
/// their words.
struct Spoken<'a> {
    old: Vec<(Span, &'a Change)>,
    new: Vec<(Span, &'a Change)>,
}

impl<'a> Spoken<'a> {
    fn new(changes: &'a [Change]) -> Self {
        let sorted = |span: fn(&Change) -> Option<Span>| {
            let mut all: Vec<(Span, &Change)> =
                changes.iter().filter_map(|change| Some((span(change)?, change))).collect();
            all.sort_by_key(|(span, _)| *span);
            all
        };
        Self { old: sorted(|change| change.old_span), new: sorted(|change| change.new_span) }
    }

    fn of(&self, entry: &StatementChange) -> bool {
        let says = |text: Option<&String>, side: Option<&Written>| {
            let Some(side) = side else { return true };
            let value = side.text.rsplit(' ').next().unwrap_or_default();
            text.is_some_and(|text| text.split([' ', ',']).any(|word| word == value))
        };
        let around = |all: &[(Span, &Change)], side: Option<&Written>| {
            let Some(side) = side else { return false };
            let span = side.span;
            let at = all.partition_point(|(outer, _)| (outer.file, outer.start) <= (span.file, span.start));
            all.get(..at).unwrap_or_default().iter().rev().take(MAX_AROUND).any(|(outer, change)| {
                outer.file == span.file
                    && span.end <= outer.end
                    && says(change.old.as_ref(), entry.old.as_ref())
                    && says(change.new.as_ref(), entry.new.as_ref())
            })
        };
        around(&self.new, entry.new.as_ref()) || around(&self.old, entry.old.as_ref())
    }
}

/// Changes that begin before a statement and are looked at for one around it.
const MAX_AROUND: usize = 32;

/// What the changes of one side speak of.
#[derive(Default)]
struct Claims {
    /// Objects that came or went.
    wholes: Vec<Span>,
    /// Values.
    values: Vec<Span>,
}

impl Claims {
    fn add(&mut self, whole: bool, span: Span) {
        if whole { self.wholes.push(span) } else { self.values.push(span) }
    }

    /// Of a route that is told of, also the places where it names its pools.
    fn targets(&mut self, config: &Config) {
        let told: BTreeSet<Span> = self.values.iter().copied().collect();
        let routes =
            config.tables.iter().flat_map(|table| &table.routes).filter(|route| told.contains(&route.span));
        let named = routes.flat_map(|route| route.action.targets()).map(|target| match target {
            Target::Pool { span, .. } => *span,
            Target::Undefined(name) => name.span,
            Target::Dynamic { text, .. } => text.span,
        });
        self.values.extend(named);
    }

    fn sort(&mut self) {
        self.wholes.sort_unstable();
        self.values.sort_unstable();
    }

    fn cover(&self, span: Span) -> bool {
        // Objects that came or went do not overlap but where one stands in another.
        let inside =
            |outer: &Span| outer.file == span.file && outer.start <= span.start && span.end <= outer.end;
        let at = self.wholes.partition_point(|outer| (outer.file, outer.start) <= (span.file, span.start));
        if self.wholes.get(..at).unwrap_or_default().iter().rev().take(MAX_NESTED).any(inside) {
            return true;
        }
        let at = self.values.partition_point(|value| (value.file, value.start) < (span.file, span.start));
        let rest = self.values.get(at..).unwrap_or_default();
        rest.first().is_some_and(|value| value.file == span.file && value.end <= span.end)
    }
}

/// Objects around a statement that are looked at for one that came or went.
const MAX_NESTED: usize = 8;

/// One side, indexed.
struct View<'a> {
    statements: &'a Statements,
    /// The statements of each scope.
    own: Vec<Vec<&'a Statement>>,
    /// The whole name of each scope.
    names: Vec<String>,
    /// Scopes by their whole name, templates left out.
    paths: BTreeMap<String, ScopeId>,
    /// What holds in a scope, as one number.
    sums: Vec<u64>,
}

impl<'a> View<'a> {
    fn new(statements: &'a Statements, renamed: &BTreeMap<String, String>) -> Self {
        let mut own: Vec<Vec<&Statement>> = statements.scopes.iter().map(|_| Vec::new()).collect();
        for statement in &statements.all {
            if let Some(list) = own.get_mut(statement.scope.index()) {
                list.push(statement);
            }
        }
        let mut view = Self {
            statements,
            own,
            names: Vec::with_capacity(statements.scopes.len()),
            paths: BTreeMap::new(),
            sums: Vec::with_capacity(statements.scopes.len()),
        };
        let mut taken: BTreeMap<String, u32> = BTreeMap::new();
        for (index, scope) in statements.scopes.iter().enumerate() {
            let label = renamed.get(&scope.label).unwrap_or(&scope.label);
            let outer = scope.parent.and_then(|parent| view.names.get(parent.index()));
            let outer = outer.filter(|outer| !outer.is_empty());
            let mut name = outer.map_or_else(|| label.clone(), |outer| format!("{outer} › {label}"));
            let count = taken.entry(name.clone()).or_insert(0);
            *count += 1;
            if *count > 1 {
                name = format!("{name} ({count})");
            }
            let mut hasher = DefaultHasher::new();
            scope.inherits.and_then(|from| view.sums.get(from.index())).hash(&mut hasher);
            for statement in view.own.get(index).into_iter().flatten() {
                let Statement { scope: _, name, key, value, sequence, inheritance, class: _, span: _ } =
                    statement;
                (name, key, value, sequence, inheritance).hash(&mut hasher);
            }
            view.sums.push(hasher.finish());
            if !scope.template
                && let Ok(id) = u32::try_from(index)
            {
                view.paths.insert(name.clone(), ScopeId::new(id));
            }
            view.names.push(name);
        }
        view
    }

    fn scope(&self, id: ScopeId) -> Option<&'a Scope> {
        self.statements.scopes.get(id.index())
    }

    fn name(&self, id: ScopeId) -> &str {
        self.names.get(id.index()).map_or("", String::as_str)
    }

    /// Scopes whose place counts, those that the other side has too, by parent and sequence.
    fn sequences(
        &self,
        others: &BTreeMap<String, ScopeId>,
    ) -> BTreeMap<(String, &'static str), Vec<ScopeId>> {
        let mut all: BTreeMap<(String, &'static str), Vec<ScopeId>> = BTreeMap::new();
        for (index, scope) in self.statements.scopes.iter().enumerate() {
            let (Some(sequence), Ok(index)) = (scope.sequence, u32::try_from(index)) else { continue };
            let id = ScopeId::new(index);
            if others.contains_key(self.name(id)) {
                let outer = scope.parent.map(|outer| self.name(outer).to_owned()).unwrap_or_default();
                all.entry((outer, sequence)).or_default().push(id);
            }
        }
        all
    }

    /// Whether every scope around this one is among `others`.
    fn is_outermost_without(&self, id: ScopeId, others: &BTreeMap<String, ScopeId>) -> bool {
        let mut at = self.scope(id).and_then(|scope| scope.parent);
        at.is_none_or(|outer| others.contains_key(self.name(outer))) || {
            // A scope around it that is no scope of the other side is told as a whole.
            while let Some(outer) = at {
                if !others.contains_key(self.name(outer)) {
                    return false;
                }
                at = self.scope(outer).and_then(|scope| scope.parent);
            }
            true
        }
    }

    /// What holds in a scope: inherited statements first.
    fn effective(&self, id: ScopeId) -> Vec<&'a Statement> {
        let mut chain = vec![id];
        let mut at = id;
        while let Some(from) = self.scope(at).and_then(|scope| scope.inherits)
            && from.index() < at.index()
        {
            chain.push(from);
            at = from;
        }
        let mut holds: Vec<&Statement> = Vec::new();
        for (depth, level) in chain.iter().rev().enumerate() {
            let own = self.own.get(level.index()).map(Vec::as_slice).unwrap_or_default();
            if depth > 0 {
                let here: BTreeSet<&str> = own.iter().map(|statement| statement.name.as_str()).collect();
                holds.retain(|statement| match statement.inheritance {
                    Inheritance::Stays => false,
                    Inheritance::Added => true,
                    Inheritance::Replaced => !here.contains(statement.name.as_str()),
                });
            }
            holds.extend(own);
        }
        holds
    }
}

/// Both sides, the old one first.
type Sides<'v, 's> = (&'v View<'s>, &'v View<'s>);

/// Entries as they are found; the same statement in several scopes is one entry.
#[derive(Default)]
struct Found {
    entries: Vec<StatementChange>,
    known: BTreeMap<(Fate, Option<Written>, Option<Written>), usize>,
}

impl Found {
    fn finish(self) -> Vec<StatementChange> {
        self.entries
    }

    fn whole(&mut self, fate: Fate, view: &View<'_>, id: ScopeId) {
        let Some(scope) = view.scope(id) else { return };
        let side = Written { text: scope.label.clone(), span: scope.span };
        let outer = scope.parent.map(|outer| view.name(outer).to_owned()).unwrap_or_default();
        let (old, new) = if fate == Fate::Added { (None, Some(side)) } else { (Some(side), None) };
        self.entries.push(StatementChange {
            fate,
            scope: outer,
            scopes: 1,
            old,
            new,
            class: EffectClass::Unknown,
        });
    }

    /// Scopes of both sides whose place among their like counts and is another.
    fn scopes_in_order(&mut self, old: &View<'_>, new: &View<'_>) {
        let (was, is) = (old.sequences(&new.paths), new.sequences(&old.paths));
        for (group, after) in is {
            let Some(before) = was.get(&group) else { continue };
            let mut pairs = before.iter().zip(&after);
            let Some((first, second)) = pairs.find(|(first, second)| old.name(**first) != new.name(**second))
            else {
                continue;
            };
            let side = |view: &View<'_>, id| {
                view.scope(id).map(|scope| Written { text: scope.label.clone(), span: scope.span })
            };
            self.entries.push(StatementChange {
                fate: Fate::Moved,
                scope: group.0.clone(),
                scopes: 1,
                old: side(old, *first),
                new: side(new, *second),
                class: EffectClass::Routing,
            });
        }
    }

    fn compare(&mut self, old: &View<'_>, before: ScopeId, new: &View<'_>, after: ScopeId) {
        if old.sums.get(before.index()) == new.sums.get(after.index()) {
            return;
        }
        let sides = (old, new);
        let (was, is) = (old.effective(before), new.effective(after));
        type Groups<'s> = BTreeMap<Option<&'static str>, (Vec<&'s Statement>, Vec<&'s Statement>)>;
        let mut groups: Groups<'_> = BTreeMap::new();
        for statement in was {
            groups.entry(statement.sequence).or_default().0.push(statement);
        }
        for statement in is {
            groups.entry(statement.sequence).or_default().1.push(statement);
        }
        for (sequence, (was, is)) in groups {
            let left = Left::of(&was, &is);
            if sequence.is_some() && !left.same_order {
                let moved = left.moved;
                self.add(&sides, Fate::Moved, moved.0, moved.1);
            }
            self.leftovers(&sides, left.gone, left.come);
        }
    }

    /// What only one side says: paired where it is the same setting.
    fn leftovers(&mut self, sides: &Sides<'_, '_>, gone: Vec<&Statement>, come: Vec<&Statement>) {
        let mut come: Vec<Option<&Statement>> = come.into_iter().map(Some).collect();
        let mut alone: Vec<&Statement> = Vec::new();
        let mut by_key: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, statement) in come.iter().enumerate().rev() {
            if let Some(statement) = statement {
                by_key.entry((&statement.name, &statement.key)).or_default().push(at);
            }
        }
        for statement in gone {
            let partner =
                by_key.get_mut(&(statement.name.as_str(), statement.key.as_str())).and_then(Vec::pop);
            match partner.and_then(|at| come.get_mut(at)).and_then(Option::take) {
                Some(new) => self.add(sides, Fate::Changed, Some(statement), Some(new)),
                None => alone.push(statement),
            }
        }
        for (at, statement) in come.iter().enumerate().rev() {
            if let Some(statement) = statement {
                by_name.entry(&statement.name).or_default().push(at);
            }
        }
        let mut lone: BTreeMap<&str, usize> = BTreeMap::new();
        for statement in &alone {
            *lone.entry(&statement.name).or_default() += 1;
        }
        for statement in alone {
            // As many came as went: the same statements with other keys.
            let as_many = by_name
                .get(statement.name.as_str())
                .is_some_and(|others| lone.get(statement.name.as_str()) >= Some(&others.len()));
            let partner =
                if as_many { by_name.get_mut(statement.name.as_str()).and_then(Vec::pop) } else { None };
            if let Some(count) = lone.get_mut(statement.name.as_str()) {
                *count = count.saturating_sub(1);
            }
            match partner.and_then(|at| come.get_mut(at)).and_then(Option::take) {
                Some(new) => self.add(sides, Fate::Changed, Some(statement), Some(new)),
                None => self.add(sides, Fate::Removed, Some(statement), None),
            }
        }
        for statement in come.into_iter().flatten() {
            self.add(sides, Fate::Added, None, Some(statement));
        }
    }

    fn add(&mut self, sides: &Sides<'_, '_>, fate: Fate, old: Option<&Statement>, new: Option<&Statement>) {
        let side = |statement: &Statement| Written { text: statement.text(), span: statement.span };
        let class = new.or(old).map_or(EffectClass::Unknown, |statement| statement.class);
        let written = new.map(|statement| sides.1.name(statement.scope));
        let scope =
            written.or_else(|| old.map(|statement| sides.0.name(statement.scope))).unwrap_or_default();
        let (old, new) = (old.map(side), new.map(side));
        let next = self.entries.len();
        let known = *self.known.entry((fate, old.clone(), new.clone())).or_insert(next);
        match self.entries.get_mut(known) {
            Some(entry) => entry.scopes += 1,
            None => {
                self.entries.push(StatementChange {
                    fate,
                    scope: scope.to_owned(),
                    scopes: 1,
                    old,
                    new,
                    class,
                });
            }
        }
    }
}

/// What two lists of statements do not share.
struct Left<'s> {
    gone: Vec<&'s Statement>,
    come: Vec<&'s Statement>,
    /// What they share stands in the same order.
    same_order: bool,
    /// The first shared statement of each side whose place differs.
    moved: (Option<&'s Statement>, Option<&'s Statement>),
}

impl<'s> Left<'s> {
    fn of(was: &[&'s Statement], is: &[&'s Statement]) -> Self {
        type Text<'t> = (&'t str, &'t str, &'t str);
        fn text<'t>(statement: &'t Statement) -> Text<'t> {
            (&statement.name, &statement.key, &statement.value)
        }
        let mut counts: BTreeMap<Text<'_>, (usize, usize)> = BTreeMap::new();
        for statement in was {
            counts.entry(text(statement)).or_default().0 += 1;
        }
        for statement in is {
            counts.entry(text(statement)).or_default().1 += 1;
        }
        let split = |list: &[&'s Statement]| {
            let mut left: BTreeMap<Text<'s>, usize> = BTreeMap::new();
            let (mut shared, mut alone) = (Vec::new(), Vec::new());
            for &statement in list {
                let key = text(statement);
                let both = counts.get(&key).map_or(0, |&(old, new)| old.min(new));
                let used = left.entry(key).or_insert(0);
                *used += 1;
                if *used <= both { shared.push(statement) } else { alone.push(statement) }
            }
            (shared, alone)
        };
        let (old_shared, gone) = split(was);
        let (new_shared, come) = split(is);
        let differs = old_shared.iter().zip(&new_shared).find(|(old, new)| text(old) != text(new));
        let moved = differs.map_or((None, None), |(old, new)| (Some(*old), Some(*new)));
        Self { gone, come, same_order: differs.is_none(), moved }
    }
}
