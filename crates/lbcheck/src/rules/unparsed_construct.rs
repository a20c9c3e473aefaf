use super::{Category, Check, Context, Rule, Sink};
use crate::model::Weakens;
use crate::words;
use crate::diagnostic::Severity;
use crate::dialect::Dialect;

pub(super) static RULE: Rule = Rule {
    id: "unparsed-construct",
    summary: "Something lbcheck cannot conclude from, and what that weakens",
    category: Category::Completeness,
    severity: Severity::Info,
    production: Severity::Info,
    dialects: &Dialect::ALL,
    docs: include_str!("unparsed_construct.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    for gap in &context.config.coverage.gaps {
        let (weakened, pool) = match gap.weakens {
            Weakens::Pool(id) => {
                let pool = context.config.pool(id);
                let name = words::pool(context.config.dialect, pool);
                (format!("members and shares of {name} are not verified"), Some(&pool.name.value))
            }
            Weakens::Routing => ("which pool a request reaches is not verified".into(), None),
            Weakens::Everything => ("part of the configuration was not read".into(), None),
        };
        let mut finding = sink.finding(gap.span, format!("not understood: {}; {weakened}", gap.what));
        finding.subject.pool = pool.cloned();
        sink.push(finding);
    }
}
