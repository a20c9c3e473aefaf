//! Renders lbcheck's reports: [`Format::Text`] for people, [`Format::Json`] for programs, [`Format::Sarif`] for
//! code scanning and [`Format::Github`] for workflow annotations.
//!
//! Whatever a configuration holds reaches the output only through a [`View`], which makes control characters
//! visible and masks secrets.

mod clean;
mod github;
mod json;
pub mod mask;
mod model;
mod patch;
mod route;
mod sarif;
mod text;
mod traffic;
mod view;
pub mod wire;

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use lbcheck::report::{CheckReport, DiffReport, Verdict};

pub use clean::clean;
pub use json::{model, rules};
pub use patch::unified;
pub use route::{Routed, route};
pub use text::diagnostic;
pub use traffic::{PlacedKey, TrafficReport};
pub use view::{View, said};

/// A message of the program itself, clean, and without the secrets that show by their form.
#[must_use]
pub fn message(text: &str) -> String {
    clean(&mask::plain(text)).into_owned()
}

/// An output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people: findings with source excerpts.
    Text,
    /// `lbcheck.report/v1` and `lbcheck.diff/v1`.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// GitHub workflow commands, shown as annotations.
    Github,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Text, Self::Json, Self::Sarif, Self::Github];

    /// `text`, `json`, `sarif` or `github`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Github => "github",
        }
    }
}

/// The text does not name a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFormat(pub String);

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a format: use text, json, sarif or github", self.0)
    }
}

impl std::error::Error for UnknownFormat {}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

/// How text is dressed. Only [`Format::Text`] looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether to use ANSI colours.
    pub colour: bool,
    /// Columns of the terminal; source lines longer than that are trimmed around what they show.
    pub width: usize,
}

/// Renders checks. Several configurations checked in one run make one output.
#[must_use]
pub fn check(format: Format, view: &View<'_>, reports: &[CheckReport], style: Style) -> String {
    match format {
        Format::Text => text::check(view, reports, style),
        Format::Json => json::check(view, reports),
        Format::Sarif => sarif::check(view, reports),
        Format::Github => github::check(view, reports),
    }
}

/// Renders a comparison.
#[must_use]
pub fn diff(format: Format, view: &View<'_>, report: &DiffReport, style: Style) -> String {
    match format {
        Format::Text => text::diff(view, report, style),
        Format::Json => json::diff(view, report),
        Format::Sarif => sarif::diff(view, report),
        Format::Github => github::diff(view, report),
    }
}

/// Renders who gets how much. Only [`Format::Text`] and [`Format::Json`] can show that; every other format gives JSON.
#[must_use]
pub fn traffic(format: Format, view: &View<'_>, report: TrafficReport<'_>, style: Style) -> String {
    match format {
        Format::Text => text::traffic(view, report, style),
        Format::Json | Format::Sarif | Format::Github => traffic::json(view, report),
    }
}

/// The verdict of several checks: unreadable over fail over pass.
#[must_use]
pub fn verdict(reports: &[CheckReport]) -> Verdict {
    let mut worst = Verdict::Pass;
    for report in reports {
        match report.verdict() {
            Verdict::Unreadable => return Verdict::Unreadable,
            Verdict::Fail => worst = Verdict::Fail,
            Verdict::Pass => {}
        }
    }
    worst
}
