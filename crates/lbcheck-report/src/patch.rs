//! A change of text, shown as a unified diff.

use lbcheck::source::FileId;
use similar::TextDiff;

use crate::clean::{clean, visible};
use crate::mask;
use crate::view::View;

/// Lines shown around a change.
const CONTEXT: usize = 3;

/// What changes from one file of `view` to another, as a unified diff under the path of the first. Secrets are masked,
/// so it is for eyes, not for `patch`.
#[must_use]
pub fn unified(view: &View<'_>, old: FileId, new: FileId) -> String {
    let path = clean(view.sources().file(old).path()).into_owned();
    let path = path.trim_start_matches("./").trim_start_matches('/');
    let (before, after) = (masked(view, old), masked(view, new));
    let diff = TextDiff::from_lines(before.as_str(), after.as_str());
    diff.unified_diff().context_radius(CONTEXT).header(&format!("a/{path}"), &format!("b/{path}")).to_string()
}

/// The text of a file with its secrets replaced, and with nothing in it that a terminal would act on.
fn masked(view: &View<'_>, file: FileId) -> String {
    let text = view.sources().file(file).text();
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for secret in view.secrets().within(view.sources(), file, &(0..text.len())) {
        let kept = text.get(at..secret.start).unwrap_or_default();
        shown.push_str(kept);
        // A secret may span lines; their number must stay.
        shown.push_str(mask::HIDDEN);
        let lines = text.get(secret.clone()).unwrap_or_default().matches('\n').count();
        shown.extend(std::iter::repeat_n('\n', lines));
        at = secret.end;
    }
    shown.push_str(text.get(at..).unwrap_or_default());
    shown.chars().map(|letter| if matches!(letter, '\n' | '\t') { letter } else { visible(letter) }).collect()
}
