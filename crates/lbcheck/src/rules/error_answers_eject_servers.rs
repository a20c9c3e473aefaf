use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::ErrorAnswersEjectServers,
    summary: "One request that always fails takes every server out",
    category: Category::Health,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::NGINX,
    docs: include_str!("error_answers_eject_servers.md"),
    check: Check::Config(check),
};

/// Answers that a request may always get, whichever server it meets.
const BY_REQUEST: [&str; 3] = ["http_500", "http_429", "invalid_header"];
/// Answers that rather speak of the server.
const BY_SERVER: [&str; 3] = ["http_502", "http_503", "http_504"];

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let dialect = context.config.dialect;
    for (pool, facts) in context.routed_pools() {
        let Some(on) = &pool.retries.on else { continue };
        if facts.active_members < 2 || !pool.serves_clients() {
            continue;
        }
        let listed = |words: &[&str]| {
            let found = on.value.split(' ').filter(|word| words.contains(word));
            found.map(|word| format!("`{word}`")).collect::<Vec<_>>()
        };
        let (by_request, by_server) = (listed(&BY_REQUEST), listed(&BY_SERVER));
        let words = if by_request.is_empty() { by_server } else { by_request.clone() };
        // One failure has to be enough for each of them.
        let frail = |failures: Option<u32>| failures == Some(1);
        let passive =
            |endpoint: &crate::model::Endpoint| endpoint.outlier_detection.map(|found| found.value.failures);
        if words.is_empty() || !facts.active(pool).all(|endpoint| frail(passive(endpoint))) {
            continue;
        }
        let out = facts.active(pool).next().and_then(|first| first.outlier_detection?.value.ejection);
        let time = out.map_or_else(String::new, |time| format!(" for {} s", time.as_secs()));
        let message = format!(
            "a request that every server answers with {} takes all {} of {} out{time}: each needs one failure",
            words.join(" or "),
            words::endpoints(dialect, facts.active_members),
            words::pool(dialect, pool),
        );
        let span = on.span().unwrap_or(pool.header);
        let finding =
            if by_request.is_empty() { sink.remark(span, message) } else { sink.finding(span, message) };
        let finding = finding
            .label("counts as a failure of the server")
            .help("raise `max_fails`, or list only what speaks of the server, such as `error timeout`")
            .pool(&pool.name.value);
        sink.push(finding);
    }
}
