//! Where each listener's traffic goes, and where given keys do.

use std::fmt::Write as _;

use lbcheck::traffic::flow::{Arrival, Destination, Flow};
use lbcheck::traffic::{Certainty, Pick};

use super::super::counted;
use super::{CUT_ABOVE, LONGEST_BAR, Print, SHORTEST_BAR, bar, padded, percent};
use crate::traffic::{PlacedKey, other, parts, requests};
use crate::view::show;

/// Kinds of requests of one listener that are listed.
const MOST_CASES: usize = 40;

impl Print<'_> {
    pub(super) fn flow(&self, out: &mut String, flow: &Flow) {
        let listener = &self.report.survey.config.listeners[flow.listener];
        let noun = self.dialect.description().nouns.socket;
        let _ = writeln!(out, "{noun} `{}`", show(&listener.name.value));
        let several = flow.cases.len() > 1;
        if several {
            out.push_str("  which of these a request is depends on the requests\n");
        }
        // The ones that no condition singles out come last and are always told.
        let (rest, singled) =
            flow.cases.split_last().map_or((None, &[][..]), |(last, rest)| (Some(last), rest));
        // The way down to the endpoints is told once.
        let mut told: Vec<&[Arrival]> = Vec::new();
        for case in singled.iter().take(MOST_CASES).chain(rest) {
            let what = match case.requests.is_empty() {
                true if several => "all other requests".to_owned(),
                true => "all requests".to_owned(),
                false => requests(self.view, case),
            };
            let _ = writeln!(out, "  {what} ({})", case.certainty.as_str());
            if let Some(assumption) = case.assumption {
                let word = if case.certainty == Certainty::Unknown { "not known" } else { "assuming" };
                let _ = writeln!(out, "    {word}: {assumption}");
            }
            let splits = case.arrivals.len() > 1 || !several;
            let first = splits && !told.contains(&case.arrivals.as_slice());
            if first {
                told.push(&case.arrivals);
            }
            self.arrivals(out, &case.arrivals, splits, first);
            for copy in &case.copies {
                let _ = writeln!(
                    out,
                    "    and copies of {} to {}",
                    percent(copy.share),
                    self.destination(&copy.to)
                );
            }
        }
        let left_out = singled.len().saturating_sub(MOST_CASES);
        if flow.cut || left_out > 0 {
            let more =
                if left_out > 0 { counted(left_out as u64, "more kind") } else { "more kinds".to_owned() };
            let _ = writeln!(out, "  and {more} of requests; JSON lists up to 5000 routes");
        }
    }

    pub(super) fn routing_gaps(&self, out: &mut String) {
        const MOST: usize = 5;
        let gaps = &self.report.survey.routing_gaps;
        for (span, what) in gaps.iter().take(MOST) {
            let place = self.view.place(*span);
            let what = self.view.say_at([*span], what);
            let _ = writeln!(
                out,
                "not understood, and may change routes: {what} ({}:{})",
                place.file, place.start.line
            );
        }
        if gaps.len() > MOST {
            let _ = writeln!(out, "and {} more that may change routes", gaps.len() - MOST);
        }
        if !gaps.is_empty() {
            out.push('\n');
        }
    }

    fn destination(&self, to: &Destination) -> String {
        match to {
            Destination::Pool(pool) => {
                format!(
                    "{} `{}`",
                    self.dialect.pool_noun(),
                    show(&self.report.survey.config.pool(*pool).name.value)
                )
            }
            Destination::Endpoint(_, endpoint) => {
                format!("{} `{}`", self.dialect.endpoint_noun(), show(endpoint))
            }
            to => other(self.view, to).unwrap_or_default(),
        }
    }

    /// Where requests go, and where that is not a single pool, down to its endpoints.
    fn arrivals(&self, out: &mut String, arrivals: &[Arrival], bars: bool, endpoints: bool) {
        let mut lines: Vec<(String, f64)> = Vec::new();
        for arrival in arrivals {
            lines.push((self.destination(&arrival.to), arrival.share));
            if let (Destination::Pool(pool), true) = (&arrival.to, endpoints) {
                let parts = parts(self.report.survey, *pool, arrival.share);
                if parts.len() <= CUT_ABOVE {
                    lines.extend(parts.into_iter().map(|(name, share)| (format!("  {name}"), share)));
                }
            }
        }
        let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let room = self.style.width.saturating_sub(4 + width + 2 + 8 + 2).min(LONGEST_BAR);
        for (name, share) in lines {
            let mut text =
                format!("    {}  {}", padded(&name, width, false), padded(&percent(share), 8, true));
            if room >= SHORTEST_BAR && bars {
                let _ = write!(text, "  {}", self.coloured(&bar(share, room)));
            }
            let _ = writeln!(out, "{}", text.trim_end());
        }
    }

    /// `key  endpoint  address`, one key a line; where a failure moves it, with the endpoint before.
    pub(super) fn keys(&self, out: &mut String, keys: &[PlacedKey]) {
        let Some(traffic) = self.report.survey.pools.first() else { return };
        let pool = self.report.survey.config.pool(traffic.pool);
        let shown: Vec<String> = keys.iter().map(|key| show(&key.key).into_owned()).collect();
        let width = shown.iter().map(|key| key.chars().count()).max().unwrap_or(0).min(60);
        for (PlacedKey { to, before, .. }, key) in keys.iter().zip(shown) {
            let place = match to {
                Pick::Endpoint(index) => pool.endpoints.get(*index).map_or_else(String::new, |endpoint| {
                    let (name, address) = (show(&endpoint.name.value), endpoint.address.to_string());
                    let address = show(&address);
                    if name == address { name.into_owned() } else { format!("{name}  {address}") }
                }),
                Pick::Nobody => "nobody serves it".to_owned(),
                Pick::Unknown(reason) => format!("not known: {}", self.view.words(reason)),
            };
            let remark = match (before, to) {
                (_, Pick::Endpoint(index)) if traffic.failed.contains(index) => {
                    "  fails, and keeps the key".to_owned()
                }
                (Some(Pick::Endpoint(index)), to) if *to != Pick::Endpoint(*index) => {
                    let name = pool.endpoints.get(*index).map(|endpoint| show(&endpoint.name.value));
                    format!("  before the failure: {}", name.unwrap_or_default())
                }
                _ => String::new(),
            };
            let _ = writeln!(out, "{}  {place}{remark}", padded(&key, width, false));
        }
        if let Some(what) = lbcheck::traffic::hashed_text(&self.report.survey.config, traffic.pool) {
            let _ = writeln!(out, "each line is read as {}", self.view.words(&what));
        }
        out.push('\n');
    }
}
