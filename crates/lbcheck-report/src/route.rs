//! Where a request goes: text for people, and `lbcheck.route/v1`.

use std::fmt::Write as _;

use lbcheck::report::InputSummary;
use lbcheck::source::Span;
use lbcheck::traffic::{EndKind, EndWords, ListenerRoute, Request, RouteReport, StepWords, Truth};

use crate::Format;
use crate::json::{TOOL, input, location, rounded, write};
use crate::view::{View, show};
use crate::wire;

/// A request with its way through one configuration.
#[derive(Clone, Copy, Debug)]
pub struct Routed<'a> {
    /// The configuration.
    pub input: &'a InputSummary,
    /// What was asked.
    pub request: &'a Request,
    /// The answer.
    pub report: &'a RouteReport,
    /// Show every rule that does not apply, however many there are.
    pub verbose: bool,
}

/// Renders an answer. Formats for findings do not fit it and give text.
#[must_use]
pub fn route(format: Format, view: &View<'_>, routed: Routed<'_>) -> String {
    match format {
        Format::Json => json(view, routed),
        _ => text(view, routed),
    }
}

/// Rules in a row that do not apply and are shown one by one; more are only counted.
const MAX_IN_A_ROW: usize = 6;
/// Longest rule that stands in its column.
const MAX_RULE: usize = 60;

fn text(view: &View<'_>, routed: Routed<'_>) -> String {
    let mut out = String::new();
    if let Some(note) = &routed.report.note {
        let _ = writeln!(out, "{}\n", show(note));
    }
    for (index, listener) in routed.report.listeners.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        listener_text(&mut out, view, listener, routed.verbose);
    }
    if routed.report.listeners.is_empty() {
        out.push_str("→ nothing takes it\n");
    }
    out
}

/// A line of two or three columns.
struct Line {
    rule: String,
    place: String,
    remark: String,
}

fn listener_text(out: &mut String, view: &View<'_>, listener: &ListenerRoute, verbose: bool) {
    let mut lines = vec![Line {
        rule: view.words(&listener.words),
        place: place(view, listener.span),
        remark: String::new(),
    }];
    let mut at = 0;
    while let Some(step) = listener.steps.get(at) {
        let row = listener.steps.get(at..).unwrap_or_default();
        let alike = |next: &&StepWords| {
            next.truth == Truth::No && next.level == step.level && next.otherwise.is_none()
        };
        let run = if step.otherwise.is_some() { 0 } else { row.iter().take_while(alike).count() };
        if run > MAX_IN_A_ROW && !verbose {
            let last = row.get(run - 1).and_then(|last| last.span);
            lines.push(Line {
                rule: format!("  {}no   {run} rules that do not match", "  ".repeat(step.level)),
                place: step.span.zip(last).map(|(first, last)| places(view, first, last)).unwrap_or_default(),
                remark: String::new(),
            });
            at += run;
            continue;
        }
        step_lines(&mut lines, view, listener, step);
        at += 1;
    }
    let width = lines.iter().map(|line| line.rule.chars().count()).filter(|width| *width <= MAX_RULE).max();
    let width = width.unwrap_or(0);
    let wide = lines.iter().map(|line| line.place.chars().count()).max().unwrap_or(0);
    for Line { rule, place, remark } in lines {
        let line = format!("{rule:width$}  {place:wide$}  {remark}");
        let _ = writeln!(out, "{}", line.trim_end());
    }
    ends(out, view, listener);
}

fn step_lines(lines: &mut Vec<Line>, view: &View<'_>, listener: &ListenerRoute, step: &StepWords) {
    let indent = "  ".repeat(step.level + 1);
    if let Some(before) = step.otherwise.and_then(|index| listener.steps.get(index)) {
        lines.push(Line {
            rule: format!("{}if not `{}`:", "  ".repeat(before.level + 1), said(view, before, &before.rule)),
            place: String::new(),
            remark: String::new(),
        });
    }
    let truth = match step.truth {
        Truth::Yes => "yes ",
        Truth::No => "no  ",
        Truth::Unknown => "?   ",
    };
    let mut remark = match step.truth {
        Truth::Unknown => {
            let reasons: Vec<String> = step.reasons.iter().map(|reason| said(view, step, reason)).collect();
            format!("not known: {}", reasons.join("; "))
        }
        _ if step.condition == "always" => String::new(),
        _ => said(view, step, &step.condition),
    };
    if let Some(path) = &step.new_path {
        let joint = if remark.is_empty() { "" } else { "; " };
        let _ = write!(remark, "{joint}the path is now {}", view.words(path));
    }
    lines.push(Line {
        rule: format!("{indent}{truth} {}", said(view, step, &step.rule)),
        place: step.span.map(|span| place(view, span)).unwrap_or_default(),
        remark,
    });
}

fn ends(out: &mut String, view: &View<'_>, listener: &ListenerRoute) {
    if let ([only], true) = (listener.ends.as_slice(), listener.complete) {
        let _ = writeln!(out, "→ {}", end_text(view, only));
        fallbacks(out, view, only);
        return;
    }
    let _ = match (listener.ends.len(), listener.complete) {
        (1, false) => writeln!(out, "→ one that is known, and perhaps others:"),
        (many, true) => writeln!(out, "→ one of {many}:"),
        (many, false) => writeln!(out, "→ one of {many} that are known, and perhaps others:"),
    };
    for end in &listener.ends {
        let share = match end.share {
            Some(share) => format!("{:.1} %", share * 100.0),
            None => "may be".to_owned(),
        };
        let _ = writeln!(out, "  {share:>8}  {}", end_text(view, end));
        fallbacks(out, view, end);
    }
}

fn fallbacks(out: &mut String, view: &View<'_>, end: &EndWords) {
    for (words, span) in &end.fallbacks {
        let words = view.words(&view.say_at([*span], words));
        let _ = writeln!(out, "            {words}  ({})", place(view, *span));
    }
}

fn end_text(view: &View<'_>, end: &EndWords) -> String {
    match end.span {
        Some(span) => format!("{}  ({})", view.words(&view.say_at([span], &end.words)), place(view, span)),
        None => view.words(&end.words),
    }
}

/// A text of a step without the secrets on its line.
fn said(view: &View<'_>, step: &StepWords, text: &str) -> String {
    view.words(&view.say_at(step.span, text))
}

fn place(view: &View<'_>, span: Span) -> String {
    let place = view.place(span);
    format!("{}:{}", place.file, place.start.line)
}

fn places(view: &View<'_>, first: Span, last: Span) -> String {
    let (from, to) = (view.place(first), view.place(last));
    if from.file != to.file || from.start.line >= to.start.line {
        return format!("{}:{}", from.file, from.start.line);
    }
    format!("{}:{}-{}", from.file, from.start.line, to.start.line)
}

fn json(view: &View<'_>, routed: Routed<'_>) -> String {
    let request = routed.request;
    let text = |part: &Option<String>| part.as_ref().map(|part| view.words(part));
    write(&wire::RouteAnswer {
        schema: "lbcheck.route/v1",
        tool: TOOL,
        input: input(routed.input),
        request: wire::AskedRequest {
            method: text(&request.method),
            host: text(&request.host),
            path: text(&request.path),
            query: text(&request.query),
            headers: request.headers.iter().flatten().map(|(name, _)| view.words(name)).collect(),
            tls: request.tls,
            sni: text(&request.sni),
            port: request.port,
            source: request.source.map(|source| source.to_string()),
        },
        note: routed.report.note.as_ref().map(|note| show(note).into_owned()),
        taken: truth(routed.report.taken),
        listeners: routed.report.listeners.iter().map(|listener| listener_json(view, listener)).collect(),
    })
}

fn listener_json(view: &View<'_>, listener: &ListenerRoute) -> wire::ListenerAnswer {
    wire::ListenerAnswer {
        listener: view.words(&listener.listener),
        location: location(view, listener.span),
        decided: listener.complete && matches!(listener.ends.as_slice(), [only] if is_known(only.kind)),
        ends: listener.ends.iter().map(|end| end_json(view, end)).collect(),
        steps: listener.steps.iter().map(|step| step_json(view, step)).collect(),
        complete: listener.complete,
    }
}

/// Whether the configuration itself says what such an end is.
fn is_known(kind: EndKind) -> bool {
    !matches!(kind, EndKind::Dynamic | EndKind::Opaque)
}

fn step_json(view: &View<'_>, step: &StepWords) -> wire::RouteStep {
    wire::RouteStep {
        rule: said(view, step, &step.rule),
        condition: said(view, step, &step.condition),
        applies: truth(step.truth),
        reasons: step.reasons.iter().map(|reason| said(view, step, reason)).collect(),
        level: step.level,
        otherwise: step.otherwise,
        new_path: step.new_path.as_ref().map(|path| view.words(path)),
        location: step.span.map(|span| location(view, span)),
    }
}

fn truth(truth: Truth) -> &'static str {
    match truth {
        Truth::Yes => "yes",
        Truth::No => "no",
        Truth::Unknown => "unknown",
    }
}

fn end_json(view: &View<'_>, end: &EndWords) -> wire::RouteEnd {
    let name = |name: &String| show(name).into_owned();
    wire::RouteEnd {
        kind: end.kind.as_str(),
        words: view.words(&view.say_at(end.span, &end.words)),
        pool: end.pool.as_ref().map(name),
        endpoint: end.endpoint.as_ref().map(name),
        status: end.status,
        candidates: end.candidates.iter().map(name).collect(),
        share: end.share.and_then(rounded),
        step: end.step,
        location: end.span.map(|span| location(view, span)),
        fallbacks: end
            .fallbacks
            .iter()
            .map(|(words, span)| wire::RouteFallback {
                words: view.words(&view.say_at([*span], words)),
                location: location(view, *span),
            })
            .collect(),
    }
}
