//! Who gets how much, as text: a table with bars for each pool, then where each listener's traffic goes.

mod flow;

use std::fmt::Write as _;
use std::time::Duration;

use lbcheck::dialect::{Dialect, Tiers};
use lbcheck::model::{Endpoint, Pool};
use lbcheck::traffic::scenario::{
    Cascade, CascadeEnd, Demand, Detection, Full, LimitKind, Loss, Noticed, ScenarioOutcome, Since,
};
use lbcheck::traffic::{Certainty, PoolTraffic, described};

use super::{counted, coverage};
use crate::Style;
use crate::traffic::TrafficReport;
use crate::view::{View, show};

/// Endpoints of one pool that are listed, if there are more than [`CUT_ABOVE`].
const LISTED: usize = 30;
const CUT_ABOVE: usize = 36;
/// Cells of a bar, and the fewest that are worth drawing.
const LONGEST_BAR: usize = 40;
const SHORTEST_BAR: usize = 8;

pub(crate) fn traffic(view: &View<'_>, report: TrafficReport<'_>, style: Style) -> String {
    let mut out = String::new();
    let print = Print { view, report, dialect: report.survey.config.dialect, style };
    if let Some(keys) = report.keys {
        print.keys(&mut out, keys);
    }
    for pool in &report.survey.pools {
        print.pool(&mut out, pool);
        out.push('\n');
    }
    for flow in &report.survey.flows {
        print.flow(&mut out, flow);
        out.push('\n');
    }
    if !report.survey.flows.is_empty() {
        print.routing_gaps(&mut out);
    }
    if report.survey.pools.is_empty() {
        let _ = writeln!(out, "no {} has any {}", print.dialect.pool_noun(), print.dialect.endpoint_noun());
    }
    let _ = writeln!(out, "{}", coverage(report.input));
    out
}

struct Print<'a> {
    view: &'a View<'a>,
    report: TrafficReport<'a>,
    dialect: Dialect,
    style: Style,
}

/// One column of a table.
struct Column {
    head: String,
    cells: Vec<String>,
    right: bool,
}

impl Column {
    fn new(head: impl Into<String>, right: bool) -> Self {
        Self { head: head.into(), cells: Vec::new(), right }
    }

    fn width(&self) -> usize {
        let cells = self.cells.iter().map(|cell| cell.chars().count());
        cells.chain([self.head.chars().count()]).max().unwrap_or(0)
    }
}

/// `text` in a cell of `width` characters.
fn padded(text: &str, width: usize, right: bool) -> String {
    let fill = " ".repeat(width.saturating_sub(text.chars().count()));
    if right { fill + text } else { text.to_owned() + &fill }
}

/// `33.3 %`; never all or nothing unless it is.
fn percent(share: f64) -> String {
    let tenths = (share * 1000.0).round();
    if share > 0.0 && tenths < 1.0 {
        return "<0.1 %".into();
    }
    if share < 1.0 - 1e-9 && tenths >= 1000.0 {
        return ">99.9 %".into();
    }
    format!("{:.1} %", tenths / 10.0)
}

/// `12`, `12.5`, `1.33`: as many decimals as tell something.
fn number(value: f64) -> String {
    if !value.is_finite() {
        return "any number".into();
    }
    let shown = if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") };
    match shown.contains('.') {
        true => shown.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => shown,
    }
}

fn seconds(time: Duration) -> String {
    format!("{} s", number(time.as_millis() as f64 / 1000.0))
}

/// A bar of `cells` at most, in eighths of a cell.
fn bar(part: f64, cells: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (part.clamp(0.0, 1.0) * cells as f64 * 8.0).round() as usize;
    // Something is never drawn as nothing.
    let eighths = if part > 0.0 { eighths.max(1) } else { 0 };
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

impl Print<'_> {
    fn pool(&self, out: &mut String, traffic: &PoolTraffic) {
        let pool = self.report.survey.config.pool(traffic.pool);
        let algorithm = self.view.words(&described(self.dialect, &pool.algorithm.value));
        let shares = &traffic.figures.shares;
        let then = match traffic.outcome.as_ref().filter(|outcome| self.changes(outcome)) {
            Some(outcome) => format!("; then {}", outcome.after.certainty.as_str()),
            None => String::new(),
        };
        let _ = writeln!(
            out,
            "{} `{}`: {algorithm} ({}{then})",
            self.dialect.pool_noun(),
            show(&pool.name.value),
            shares.certainty.as_str(),
        );
        if shares.is_known() {
            self.table(out, pool, traffic);
        }
        let word = if shares.is_known() { "assuming" } else { "not known" };
        let after = traffic.outcome.iter().flat_map(|outcome| &outcome.after.assumptions);
        let mut said: Vec<String> = Vec::new();
        for assumption in shares.assumptions.iter().chain(after) {
            let text = self.view.words(assumption);
            if !said.contains(&text) {
                let _ = writeln!(out, "  {word}: {text}");
                said.push(text);
            }
        }
        if let Some(effective) = traffic.effective_endpoints.filter(|effective| *effective > 0.0) {
            let serving = shares.shares.iter().zip(&pool.endpoints).filter(|(share, _)| **share > 0.0);
            let serving: u64 = serving.map(|(_, endpoint)| u64::from(endpoint.slots)).sum();
            let noun = self.dialect.endpoint_noun();
            let _ = match serving {
                1 => writeln!(out, "  one {noun} gets everything"),
                _ => writeln!(
                    out,
                    "  as concentrated as {} equal {noun}s; {serving} {noun}s get traffic",
                    number(effective),
                ),
            };
        }
        if let Some(outcome) = &traffic.outcome {
            self.outcome(out, pool, outcome);
        } else if let Some(loss) = &traffic.worst {
            let _ = writeln!(out, "  {}", self.loss(pool, loss));
        }
    }

    /// Whether something is different after than before.
    fn changes(&self, outcome: &ScenarioOutcome) -> bool {
        !outcome.detections.is_empty() || (self.report.question.load - 1.0).abs() > 1e-9
    }

    fn table(&self, out: &mut String, pool: &Pool, traffic: &PoolTraffic) {
        let shares = &traffic.figures.shares.shares;
        let outcome = traffic.outcome.as_ref().filter(|outcome| outcome.after.is_known());
        let changed = outcome.filter(|outcome| self.changes(outcome));
        let mut order: Vec<usize> = (0..pool.endpoints.len()).collect();
        let cut = order.len() > CUT_ABOVE;
        if cut {
            let share = |index: &usize| shares.get(*index).copied().unwrap_or(0.0);
            order.sort_by(|a, b| share(b).total_cmp(&share(a)).then(a.cmp(b)));
            order.truncate(LISTED);
        }
        let names = |endpoint: &Endpoint| show(&endpoint.name.value).into_owned();
        let addresses = |endpoint: &Endpoint| show(&endpoint.address.to_string()).into_owned();
        let same = order.iter().all(|&at| names(&pool.endpoints[at]) == addresses(&pool.endpoints[at]));
        let mut columns = vec![Column::new(self.dialect.endpoint_noun(), false)];
        columns[0].cells.extend(order.iter().map(|&at| names(&pool.endpoints[at])));
        columns[0].cells.push(if cut {
            format!("{} more and these", pool.endpoints.len() - order.len())
        } else {
            "total".to_owned()
        });
        let mut push = |head: &str, cell: &dyn Fn(usize) -> String, total: String| {
            let mut column = Column::new(head, true);
            column.cells.extend(order.iter().map(|&at| cell(at)));
            column.cells.push(total);
            columns.push(column);
        };
        if !same {
            push("address", &|at| addresses(&pool.endpoints[at]), String::new());
        }
        push("weight", &|at| pool.endpoints[at].weight.value.to_string(), String::new());
        if pool.endpoints.iter().any(|endpoint| endpoint.tier.value > 0) {
            let tiers = self.dialect.description().tiers;
            let head = if tiers == Tiers::Levels { "priority" } else { "backup" };
            let tier = |at: usize| match (tiers, pool.endpoints[at].tier.value) {
                (Tiers::Levels, tier) => tier.to_string(),
                (_, 0) => String::new(),
                _ => "yes".to_owned(),
            };
            push(head, &tier, String::new());
        }
        let sum = |figures: &[f64]| percent(figures.iter().sum());
        push("share", &|at| percent(shares[at]), sum(shares));
        if let Some(half) = &traffic.figures.half_width {
            push("±", &|at| percent(half[at]), String::new());
        }
        if let Some(idle) = &traffic.figures.idle {
            push("one at a time", &|at| percent(idle[at]), sum(idle));
        }
        let mut drawn = shares;
        if let Some(outcome) = changed {
            drawn = &outcome.after.shares;
            push("then", &|at| percent(drawn[at]), sum(drawn));
            let load = |at: usize| match outcome.multiples.get(at).copied().flatten() {
                Some(multiple) => format!("{}x", number(multiple)),
                None if drawn[at] > 0.0 => "new".to_owned(),
                None => String::new(),
            };
            push("load", &load, String::new());
        }
        if let Some(keys) = self.report.key_shares(pool.endpoints.len()) {
            push("these keys", &|at| percent(keys[at]), sum(&keys));
        }
        if let Some(demand) = outcome.and_then(|outcome| outcome.demand.as_ref()) {
            let total = number(demand.in_service.iter().sum());
            push("in service", &|at| number(demand.in_service[at]), total);
        }
        self.rows(out, &columns, &order, drawn);
    }

    fn rows(&self, out: &mut String, columns: &[Column], order: &[usize], drawn: &[f64]) {
        let widths: Vec<usize> = columns.iter().map(Column::width).collect();
        let used: usize = 2 + widths.iter().map(|width| width + 2).sum::<usize>();
        let room = self.style.width.saturating_sub(used).min(LONGEST_BAR);
        let most = order.iter().map(|&at| drawn[at]).fold(0.0, f64::max);
        let line = |cell: &dyn Fn(&Column) -> String| {
            let cells = columns
                .iter()
                .zip(&widths)
                .map(|(column, width)| padded(&cell(column), *width, column.right));
            format!("  {}", cells.collect::<Vec<_>>().join("  "))
        };
        let _ = writeln!(out, "{}", line(&|column| column.head.clone()).trim_end());
        for (row, &at) in order.iter().enumerate() {
            let mut text = line(&|column| column.cells[row].clone());
            if room >= SHORTEST_BAR && most > 0.0 {
                let _ = write!(text, "  {}", self.coloured(&bar(drawn[at] / most, room)));
            }
            let _ = writeln!(out, "{}", text.trim_end());
        }
        let _ = writeln!(out, "{}", line(&|column| column.cells[order.len()].clone()).trim_end());
    }

    fn coloured(&self, bar: &str) -> String {
        if self.style.colour && !bar.is_empty() {
            format!("\u{1b}[36m{bar}\u{1b}[0m")
        } else {
            bar.to_owned()
        }
    }

    fn name(&self, pool: &Pool, index: usize) -> String {
        let endpoint = pool.endpoints.get(index);
        format!("`{}`", endpoint.map_or_else(String::new, |endpoint| show(&endpoint.name.value).into_owned()))
    }

    fn names(&self, pool: &Pool, indices: &[usize]) -> String {
        const MOST: usize = 5;
        let mut names: Vec<String> = indices.iter().take(MOST).map(|&index| self.name(pool, index)).collect();
        if indices.len() > MOST {
            names.push(format!("{} more", indices.len() - MOST));
        }
        names.join(", ")
    }

    fn loss(&self, pool: &Pool, loss: &Loss) -> String {
        let most = if loss.all_tried { "worst single loss" } else { "worst single loss of those tried" };
        let certainty = loss.certainty.as_str();
        let failing = self.name(pool, loss.endpoint);
        let mut text = match loss.survivor {
            Some(survivor) => format!(
                "{most}: without {failing}, {} gets {} times its normal load ({certainty})",
                self.name(pool, survivor),
                number(loss.multiple),
            ),
            None if loss.lost > 0.999 => format!("{most}: without {failing} nobody is left ({certainty})"),
            None => format!("{most}: without {failing}, others take over who get nothing now ({certainty})"),
        };
        if loss.lost > 1e-9 && loss.lost <= 0.999 {
            let _ = write!(text, "; {} of requests cannot be served", percent(loss.lost));
        }
        text
    }

    fn outcome(&self, out: &mut String, pool: &Pool, outcome: &ScenarioOutcome) {
        for found in &outcome.detections {
            let _ = writeln!(out, "  {} fails: {}", self.name(pool, found.endpoint), self.noticed(found));
        }
        if !outcome.detections.is_empty() {
            self.until_noticed(out, outcome);
            if outcome.after.is_known() && outcome.lost > 1e-9 {
                let panic =
                    if outcome.panic { ", as too few are healthy and Envoy sends to all" } else { "" };
                let _ = writeln!(
                    out,
                    "  then: {} of requests cannot be served ({}){panic}",
                    percent(outcome.lost),
                    outcome.after.certainty.as_str(),
                );
            }
            if !outcome.takes_over.is_empty() {
                let _ = writeln!(out, "  takes over: {}", self.names(pool, &outcome.takes_over));
            }
        }
        if let Some(full) = outcome.first_full {
            let _ = writeln!(out, "  {}", self.first_full(pool, full));
        }
        if let Some(demand) = &outcome.demand {
            self.demand(out, pool, demand);
        }
        if let Some(cascade) = &outcome.cascade {
            self.cascade(out, pool, cascade);
        }
    }

    fn noticed(&self, found: &Detection) -> String {
        let mut text = self.noticed_by(found);
        if let Some(back) = found.back {
            let mut range = format!("{} to {}", seconds(back.soonest), seconds(back.latest));
            if let Some(quiet) = back.quiet {
                let _ = write!(range, " ({} without traffic)", seconds(quiet));
            }
            let _ = match back.since {
                Since::Answers => write!(text, "; back {range} after it answers again"),
                Since::Out => write!(text, "; tried again {range} later"),
            };
        }
        text
    }

    fn noticed_by(&self, found: &Detection) -> String {
        match &found.noticed {
            Noticed::Already => "the configuration has it out already".to_owned(),
            Noticed::ByCheck { soonest, latest, silent, quiet, failures } => {
                let mut text =
                    format!("its check finds out after {} to {}", seconds(*soonest), seconds(*latest));
                if let Some(silent) = silent {
                    let _ = write!(text, ", or {} where it no longer answers at all", seconds(*silent));
                }
                if let Some(quiet) = quiet {
                    let _ =
                        write!(text, ", or {} as long as the cluster has had no traffic", seconds(*quiet));
                }
                if let Some(failures) = failures {
                    let _ = write!(
                        text,
                        ", or sooner after {} in a row",
                        counted(u64::from(*failures), "failed request")
                    );
                }
                text
            }
            Noticed::ByTraffic { failures, within, each_worker } => {
                let mut text = format!("found out after {}", counted(u64::from(*failures), "failed request"));
                if *each_worker {
                    text.push_str(" in each worker process");
                }
                if let Some(within) = within {
                    let _ = write!(text, ", within {}", seconds(*within));
                }
                text
            }
            Noticed::Assumed => "taken out".to_owned(),
            Noticed::Never(reason) => format!("never found out: {}", self.view.words(reason)),
        }
    }

    fn until_noticed(&self, out: &mut String, outcome: &ScenarioOutcome) {
        let unnoticed = &outcome.unnoticed;
        if let (Some(hit), Some(errors), Some(attempts)) =
            (unnoticed.first_attempts, unnoticed.errors, unnoticed.attempts)
        {
            let up_to = if unnoticed.certainty == Certainty::Range { "up to " } else { "" };
            let fail = match errors > 0.0 {
                true => format!("{up_to}{} fail", percent(errors)),
                false => "none fail".to_owned(),
            };
            let _ = write!(
                out,
                "  until then: {} of requests meet it, {fail}, attempts per request {up_to}{} ({})",
                percent(hit),
                number(attempts),
                unnoticed.certainty.as_str(),
            );
            for assumption in &unnoticed.assumptions {
                let _ = write!(out, "; {}", self.view.words(assumption));
            }
            out.push('\n');
        }
        let attempts = &outcome.attempts;
        if attempts.most > 1 {
            let _ = write!(
                out,
                "  retries: up to {} attempts for one request ({})",
                attempts.most,
                attempts.certainty.as_str()
            );
            if let Some(at_once) = attempts.at_once {
                let _ = write!(out, ", {at_once} retries at once");
            }
            out.push('\n');
        }
    }

    fn first_full(&self, pool: &Pool, full: Full) -> String {
        let what = match full.kind {
            LimitKind::Endpoint(index) => {
                format!("{} at its limit of {}", self.name(pool, index), number(full.limit))
            }
            LimitKind::Capacity(index) => {
                format!("{} at its capacity of {}", self.name(pool, index), number(full.limit))
            }
            LimitKind::PoolConnections => {
                format!("the circuit breaker of {} connections", number(full.limit))
            }
            LimitKind::PoolRequests => format!("the circuit breaker of {} requests", number(full.limit)),
        };
        format!(
            "full first: {what}, with {} requests in flight ({})",
            number(full.at),
            full.certainty.as_str()
        )
    }

    fn demand(&self, out: &mut String, pool: &Pool, demand: &Demand) {
        let _ = write!(
            out,
            "  {} requests at once: {} in service, {} wait, {} refused ({})",
            number(demand.requests),
            number(demand.in_service.iter().sum()),
            number(demand.queued),
            number(demand.refused),
            demand.certainty.as_str(),
        );
        for assumption in &demand.assumptions {
            let _ = write!(out, "; {}", self.view.words(assumption));
        }
        out.push('\n');
        if !demand.full.is_empty() {
            let _ = writeln!(out, "  full: {}", self.names(pool, &demand.full));
        }
    }

    fn cascade(&self, out: &mut String, pool: &Pool, cascade: &Cascade) {
        let end = match cascade.end {
            CascadeEnd::Stable if cascade.steps.is_empty() => {
                format!("nobody is offered more than it can take ({})", cascade.certainty.as_str())
            }
            CascadeEnd::Stable => format!("the rest can take it ({})", cascade.certainty.as_str()),
            CascadeEnd::Down => format!("nobody is left ({})", cascade.certainty.as_str()),
            CascadeEnd::Open => format!("and so on ({})", cascade.certainty.as_str()),
        };
        if cascade.steps.is_empty() {
            let _ = writeln!(out, "  cascade: {end}");
            return;
        }
        let _ = writeln!(out, "  cascade, if whoever is offered more than it can take fails:");
        for (round, step) in cascade.steps.iter().enumerate() {
            let overloaded: Vec<usize> = step.overloaded.iter().map(|(index, _)| *index).collect();
            let most = step.overloaded.iter().map(|(_, strain)| *strain).fold(0.0, f64::max);
            let words = match overloaded.len() {
                1 => ["fails", "what it can take"],
                _ => ["fail", "what they can take"],
            };
            let _ = writeln!(
                out,
                "    {}. {} {}, offered up to {} times {}",
                round + 1,
                self.names(pool, &overloaded),
                words[0],
                number(most),
                words[1],
            );
        }
        let _ = writeln!(out, "    {end}");
    }
}
