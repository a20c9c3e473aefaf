//! What lbcheck says of a configuration on the disk.

use std::fmt;
use std::path::Path;

use lbcheck::diagnostic::Severity;
use lbcheck::dialect::{Dialect, Edition, Version};
use lbcheck::load::DiskLoader;
use lbcheck::read::{ReadOptions, read};
use lbcheck::rules::{self, Category};
use lbcheck::source::{Sources, Span};

use crate::base::Base;
use crate::reading::check;

/// An error of lbcheck's about the validity of the text.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Its rule.
    pub rule: &'static str,
    /// The lines of the main file that it points at, the first where it begins; none where it points into another file.
    pub lines: Vec<usize>,
    /// The text of that line.
    pub excerpt: String,
    /// Its words.
    pub message: String,
    /// It says that the language is broken, not that a name is missing or a part could not be read.
    pub is_syntax: bool,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} [{}] {}", self.lines, self.rule, self.message)
    }
}

/// Reads a configuration that lies in `folder`, and gives every error that says a program would refuse it.
#[must_use]
pub fn judge(dialect: Dialect, version: Version, base: &Base, folder: &Path) -> Vec<Finding> {
    let mut options = ReadOptions::new(dialect);
    options.version = version;
    options.env = base.variables.iter().cloned().collect();
    if dialect == Dialect::Nginx {
        options.edition = Edition::OpenSource;
        options.prefix = Some(folder.display().to_string());
    }
    let main = folder.join(&base.main).display().to_string();
    let mut sources = Sources::new();
    let reading = read(&DiskLoader, &mut sources, std::slice::from_ref(&main), &options);
    let report = check(&sources, &reading);
    let mut findings = Vec::new();
    for finding in &report.findings {
        let diagnostic = &finding.diagnostic;
        let rule = rules::rule(diagnostic.rule);
        // Rules about what is wise are no verdict on validity, except that of a name which is not defined.
        let judged = matches!(rule.category, Category::Syntax | Category::Completeness)
            || rule.id == "route-undefined-pool"
            || rule.id == "algorithm-edition-mismatch";
        if diagnostic.severity != Severity::Error || !judged {
            continue;
        }
        let span = diagnostic.primary.span;
        let file = sources.file(span.file);
        let line = sources.position(span).line as usize;
        // A program names the line on which it has read enough, often the last of a statement on several lines.
        let last = sources.position(Span::new(span.file, span.end as usize, span.end as usize)).line as usize;
        let is_main = file.path() == main;
        findings.push(Finding {
            rule: rule.id.as_str(),
            lines: if is_main { (line..=last).collect() } else { Vec::new() },
            excerpt: base
                .text()
                .and_then(|text| text.lines().nth(line.saturating_sub(1)))
                .unwrap_or_default()
                .to_owned(),
            message: diagnostic.message.clone(),
            is_syntax: rule.category == Category::Syntax || (reading.broken && is_main),
        });
    }
    findings
}
