use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::traffic::Certainty;
use crate::traffic::scenario::worst_loss;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::SingleServerLossOverload,
    summary: "Losing one server overloads another",
    category: Category::Distribution,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::ALL,
    docs: include_str!("single_server_loss_overload.md"),
    check: Check::Config(check),
};

/// Times its normal load that a survivor cannot be expected to carry.
const MAX_MULTIPLE: f64 = 2.0;

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let dialect = context.config.dialect;
    for (pool, facts) in context.routed_pools() {
        // Of two servers one always takes over from the other.
        if facts.active_members < 3 || !pool.serves_clients() {
            continue;
        }
        let Some(loss) = worst_loss(context.config, facts.id) else { continue };
        // Without a survivor among those who served it is another server's turn, and its load has no measure.
        let (Some(survivor), true) = (loss.survivor, loss.certainty <= Certainty::Expected) else { continue };
        if loss.multiple <= MAX_MULTIPLE + 1e-9 || !loss.multiple.is_finite() {
            continue;
        }
        let (Some(failed), Some(survivor)) =
            (pool.endpoints.get(loss.endpoint), pool.endpoints.get(survivor))
        else {
            continue;
        };
        let message = format!(
            "if {} of {} fails, {} gets {} times its normal traffic",
            words::endpoint(dialect, failed),
            words::pool(dialect, pool),
            words::endpoint(dialect, survivor),
            words::factor(loss.multiple),
        );
        let finding = sink
            .finding(failed.weight.span().unwrap_or(failed.span), message)
            .label("its loss is the worst")
            .help("spread the traffic more evenly, or add servers, so that no single loss more than doubles a load")
            .also(survivor.span, format!("{} times its load", words::factor(loss.multiple)))
            .pool(&pool.name.value)
            .endpoint(&failed.name.value);
        sink.push(finding);
    }
}
