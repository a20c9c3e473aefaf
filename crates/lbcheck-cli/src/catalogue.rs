//! `lbcheck explain` and `lbcheck rules`.

use std::fmt::Write as _;
use std::process::ExitCode;

use lbcheck::RuleId;
use lbcheck::diagnostic::suggest;
use lbcheck_report::clean;

use crate::args::ListFormat;
use crate::{Failure, output};

pub(crate) fn explain(id: &str) -> Result<ExitCode, Failure> {
    if let Ok(page) = lbcheck::explain(id) {
        return output::print_only(page);
    }
    let hint = match suggest(id, RuleId::ALL.iter().map(|id| id.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`lbcheck rules` lists them".to_owned(),
    };
    Err(Failure::new(format!("there is no rule `{}`; {hint}", clean(id))))
}

pub(crate) fn rules(format: ListFormat) -> Result<ExitCode, Failure> {
    if format == ListFormat::Json {
        return output::print_only(&lbcheck_report::rules());
    }
    let mut text = String::new();
    let rules = lbcheck::rules();
    let width = rules.iter().map(|rule| rule.id.as_str().len()).max().unwrap_or(0);
    for rule in rules {
        let _ = writeln!(
            text,
            "{:width$}  {:7}  {:12}  {}",
            rule.id.as_str(),
            rule.production.as_str(),
            rule.category.as_str(),
            rule.summary,
        );
    }
    output::print_only(&text)
}
