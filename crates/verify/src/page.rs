//! `docs/verification.md`: each command writes its own part of it.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::reading::root;

/// The page.
#[must_use]
pub fn path() -> PathBuf {
    root().join("docs/verification.md")
}

/// Replaces one part of the page, which stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`.
///
/// # Errors
///
/// The page cannot be read or written, or has no such part.
pub fn write(part: &str, content: &str) -> Result<()> {
    let page = std::fs::read_to_string(path()).context("docs/verification.md")?;
    std::fs::write(path(), replaced(&page, part, content)?)?;
    Ok(())
}

fn replaced(page: &str, part: &str, content: &str) -> Result<String> {
    let [begin, end] = ["begin", "end"].map(|side| format!("<!-- {part}:{side} -->"));
    let missing = || format!("docs/verification.md has no part {part}");
    let (before, rest) = page.split_once(&begin).with_context(missing)?;
    let (_, after) = rest.split_once(&end).with_context(missing)?;
    Ok(format!("{before}{begin}\n\n{}\n\n{end}{after}", content.trim()))
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn a_part_is_replaced_and_the_rest_stays() {
        let page = "a\n<!-- x:begin -->\nold\n<!-- x:end -->\nb\n";
        let new = replaced(page, "x", "new\n").unwrap();
        assert_eq!(new, "a\n<!-- x:begin -->\n\nnew\n\n<!-- x:end -->\nb\n");
        assert!(replaced(page, "y", "").is_err());
    }
}
