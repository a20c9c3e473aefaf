//! `cargo verify traffic`: all scenarios under all the programs given, as a table.

use std::fmt::Write;

use anyhow::Result;
use lbcheck::dialect::Dialect;

use super::run::{Row, run};
use super::scenarios;
use super::statistics::ERROR;
use crate::program::Program;

/// What came of a run.
pub struct Report {
    /// Lines of the table, in the order of the scenarios, each under all programs in turn.
    pub rows: Vec<Row>,
    /// What went wrong, one sentence for each scenario and program.
    pub problems: Vec<String>,
}

/// Runs every scenario whose name contains `filter` under each of the programs that speak its dialect.
///
/// `tell` is told of each scenario when it is done.
pub fn run_all(programs: &[Program], filter: &str, mut tell: impl FnMut(&str)) -> Report {
    let mut report = Report { rows: Vec::new(), problems: Vec::new() };
    for (number, (name, scenario)) in (0_u16..).zip(scenarios::all()) {
        if !name.contains(filter) {
            continue;
        }
        for program in programs.iter().filter(|program| program.dialect == scenario.dialect) {
            let version = program.version().map_or_else(|| "?".to_owned(), |version| version.to_string());
            match run(&scenario, number, program) {
                Ok(Some(row)) => {
                    if let Some(problem) = &row.problem {
                        report.problems.push(format!("{name} under {version}: {problem}"));
                    }
                    let verdict = if row.problem.is_some() { "WRONG" } else { "right" };
                    tell(&format!("{verdict} {name} {version}"));
                    report.rows.push(row);
                }
                Ok(None) => tell(&format!("not in {version}: {name}")),
                Err(error) => {
                    tell(&format!("ERROR {name} {version}"));
                    report.problems.push(format!("{name} under {version}: {error:#}"));
                }
            }
        }
    }
    report
}

/// The table, grouped by proxy.
///
/// # Errors
///
/// Nothing was compared.
pub fn markdown(report: &Report) -> Result<String> {
    if report.rows.is_empty() {
        anyhow::bail!("nothing was compared");
    }
    let requests: usize = report.rows.iter().map(|row| row.requests).sum();
    let wrong = report.rows.iter().filter(|row| row.problem.is_some()).count();
    let mut text = format!(
        "{} comparisons, {} requests, {wrong} deviations that are not explained. Written by `cargo verify traffic --write`.\n\n\
         Figures are percent of the requests, server by server in the order of the configuration. *Bound* is what the \
         deviation must keep to: **every key** (or pick) means that the predicted server answered each single request; \
         **one request** that no server's count is further than that from its share; a figure in points is half the \
         widest of the exact binomial intervals that together hold but for a chance of {ERROR:e} (Bonferroni over the \
         servers), computed from the prediction and the number of requests.\n",
        report.rows.len(),
        thousands(requests),
    );
    for dialect in Dialect::ALL {
        let rows: Vec<&Row> = report.rows.iter().filter(|row| row.dialect == dialect).collect();
        if rows.is_empty() {
            continue;
        }
        let mut versions: Vec<String> = Vec::new();
        for row in &rows {
            let version = row.version.to_string();
            if !versions.contains(&version) {
                versions.push(version);
            }
        }
        let _ = write!(
            text,
            "\n### {} {}\n\n| scenario | proxy | version | requests | predicted | measured | deviation | bound |\n\
             |---|---|---|--:|---|---|---|---|\n",
            name(dialect),
            versions.join(", "),
        );
        for row in rows {
            let wrong = if row.problem.is_some() { " **WRONG**" } else { "" };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {}{wrong} | {} |",
                row.title,
                name(dialect),
                row.version,
                thousands(row.requests),
                row.predicted,
                row.measured,
                row.deviation,
                row.bound,
            );
        }
    }
    Ok(text)
}

fn name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::HaProxy => "HAProxy",
        Dialect::Nginx => "nginx",
        Dialect::Envoy => "Envoy",
    }
}

/// `12,345`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn thousands_are_parted() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }
}
