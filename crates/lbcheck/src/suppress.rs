//! Inline suppressions: `# lbcheck: ignore[rule-id] reason="…"`.

use crate::policy::Environment;
use crate::read::Reading;
use crate::report::Finding;
use crate::source::Sources;

/// Marks the findings that a suppression in the text silences, and adds what is wrong with the suppressions.
pub(crate) fn apply(
    _sources: &Sources,
    _reading: &Reading,
    _environment: &Environment,
    findings: Vec<Finding>,
) -> Vec<Finding> {
    findings
}

/// Marks the findings about a change that a suppression in the new text silences.
pub(crate) fn apply_to_change(_sources: &Sources, _new: &Reading, findings: Vec<Finding>) -> Vec<Finding> {
    findings
}
