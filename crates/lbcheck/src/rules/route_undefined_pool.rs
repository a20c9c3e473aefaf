use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::Severity;
use crate::diagnostic::{RuleId, suggest};
use crate::dialect::Dialects;
use crate::facts::targets;
use crate::model::Target;

pub(super) static RULE: Rule = Rule {
    id: RuleId::RouteUndefinedPool,
    summary: "A route names a pool that does not exist",
    category: Category::Routing,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("route_undefined_pool.md"),
    check: Check::Config(check),
};

/// Comparing names costs time; past this many the suggestions would not be read anyway.
const MAX_SUGGESTIONS: usize = 20;

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let dialect = context.config.dialect;
    let undefined = targets(context.config).filter_map(|target| match target {
        Target::Undefined(name) => Some(name),
        Target::Pool { .. } | Target::Dynamic { .. } => None,
    });
    for (count, name) in undefined.enumerate() {
        let noun = dialect.pool_noun();
        let text = &name.value;
        let finding = if context.config.fragment {
            sink.remark(name.span, format!("no {noun} `{text}` in this part of the configuration"))
        } else {
            sink.finding(name.span, format!("there is no {noun} `{text}`: requests routed to it fail"))
        };
        let near = (count < MAX_SUGGESTIONS)
            .then(|| suggest(text, context.config.pools.iter().map(|pool| pool.name.value.as_str())))
            .flatten();
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if dialect.description().routes_name_hosts => {
                format!("define `{noun} {text}`, or write the full host name if `{text}` is a host")
            }
            None => format!("define {noun} `{text}` or correct the name"),
        };
        sink.push(finding.label(format!("no such {noun}")).help(help).pool(text));
    }
}
