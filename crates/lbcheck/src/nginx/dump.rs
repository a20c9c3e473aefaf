//! The output of `nginx -T`: all files of a configuration in one, each after a line with its path.

/// One file of a dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) path: String,
    /// Where its text lies in the dump.
    pub(super) start: usize,
    pub(super) end: usize,
}

const MARK: &[u8] = b"# configuration file ";

/// The sections of a dump; empty if the text is not one.
///
/// A dump is recognised by its first line, after the lines of the configuration test that a shell may have
/// redirected into it.
pub(super) fn sections(bytes: &[u8]) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut at = 0;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let start = at;
        at += line.len();
        if let Some(path) = mark(line) {
            if let Some(last) = sections.last_mut() {
                last.end = start;
            }
            sections.push(Section { path, start: at, end: bytes.len() });
        } else if sections.is_empty() && !line.trim_ascii().is_empty() && !line.starts_with(b"nginx: ") {
            return sections;
        }
    }
    sections
}

fn mark(line: &[u8]) -> Option<String> {
    let path = line.strip_prefix(MARK)?.trim_ascii_end().strip_suffix(b":")?;
    (!path.is_empty()).then(|| String::from_utf8_lossy(path).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_cut_at_its_marks() {
        let text = b"nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n\
            # configuration file /etc/nginx/nginx.conf:\nevents {}\n\n# configuration file /etc/nginx/a.conf:\nx;\n";
        let found = sections(text);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].path, "/etc/nginx/nginx.conf");
        assert_eq!(&text[found[0].start..found[0].end], b"events {}\n\n");
        assert_eq!(&text[found[1].start..found[1].end], b"x;\n");
    }

    #[test]
    fn an_ordinary_file_is_not_a_dump() {
        assert!(sections(b"events {}\n# configuration file /etc/nginx/a.conf:\n").is_empty());
        assert!(sections(b"").is_empty());
    }
}
