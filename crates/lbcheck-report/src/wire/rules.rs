//! `lbcheck.rules/v1`, the catalogue of rules.

use serde::Serialize;

use super::{SeverityName, Tool};

/// What `lbcheck rules --format json` prints.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Rules {
    /// `lbcheck.rules/v1`.
    #[cfg_attr(test, schemars(extend("const" = "lbcheck.rules/v1")))]
    pub schema: &'static str,
    /// The program that wrote it.
    pub tool: Tool,
    /// Every rule, by id.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Rule {
    /// Its id.
    pub id: &'static str,
    /// What it is about.
    pub category: &'static str,
    /// How bad a finding is outside production.
    pub severity: SeverityName,
    /// How bad a finding is in production.
    pub production: SeverityName,
    /// The dialects it speaks of.
    pub dialects: Vec<&'static str>,
    /// One line: what it finds.
    pub summary: &'static str,
    /// Its page, in Markdown.
    pub docs: &'static str,
}
