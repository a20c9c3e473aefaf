//! Every format, as users and programs see it.

use std::time::Instant;

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::{Format, View};

fn check(format: Format) -> String {
    let (sources, report) = checked();
    crate::check(format, &View::new(&sources), &[report], PLAIN)
}

fn diff(format: Format) -> String {
    let (sources, report) = compared();
    crate::diff(format, &View::new(&sources), &report, PLAIN)
}

/// A report of one finding at the first `text` of a file.
fn one(path: &str, content: &[u8], text: &str, message: &str) -> String {
    let mut sources = Sources::new();
    let file = sources.add(path, content.to_vec());
    let at = span(&sources, file, text);
    let diagnostic = Diagnostic::new(RuleId::SyntaxError, Severity::Error, at, message).label("here");
    crate::check(Format::Text, &View::new(&sources), &[report(vec![finding(diagnostic)])], PLAIN)
}

#[test]
fn check_as_text() {
    assert_snapshot!(check(Format::Text));
}

#[test]
fn check_as_json() {
    assert_snapshot!(check(Format::Json));
}

#[test]
fn check_as_annotations() {
    assert_snapshot!(check(Format::Github));
}

#[test]
fn diff_as_text() {
    assert_snapshot!(diff(Format::Text));
}

#[test]
fn diff_as_json() {
    assert_snapshot!(diff(Format::Json));
}

#[test]
fn diff_as_annotations() {
    assert_snapshot!(diff(Format::Github));
}

/// The parts of SARIF 2.1.0 that viewers need, with the values that the standard allows.
#[test]
fn sarif_has_what_the_standard_requires() {
    for (output, states) in [(check(Format::Sarif), false), (diff(Format::Sarif), true)] {
        let log: Value = serde_json::from_str(&output).unwrap();
        assert_eq!(log["version"], "2.1.0");
        assert_eq!(log["$schema"], "https://json.schemastore.org/sarif-2.1.0.json");
        let run = &log["runs"][0];
        assert_eq!(run["tool"]["driver"]["name"], "lbcheck");
        assert_eq!(run["columnKind"], "unicodeCodePoints");
        assert_eq!(run["invocations"][0]["executionSuccessful"], true);
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let results = run["results"].as_array().unwrap();
        assert!(!results.is_empty());
        for result in results {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
            assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            assert!(result["partialFingerprints"]["lbcheck/v1"].is_string());
            let related = result["relatedLocations"].as_array().cloned().unwrap_or_default();
            for location in result["locations"].as_array().unwrap().iter().chain(&related) {
                let place = &location["physicalLocation"];
                assert!(!place["artifactLocation"]["uri"].as_str().unwrap().contains(' '));
                for edge in ["startLine", "startColumn", "endLine", "endColumn"] {
                    assert!(place["region"][edge].as_u64().unwrap() >= 1, "{edge}");
                }
            }
            if states {
                let state = result["baselineState"].as_str().unwrap();
                assert!(["new", "updated", "unchanged", "absent"].contains(&state));
            }
            for suppression in result["suppressions"].as_array().unwrap() {
                assert_eq!(suppression["kind"], "inSource");
            }
        }
    }
}

#[test]
fn a_report_without_findings_still_says_what_was_read() {
    let sources = Sources::new();
    let report = report(Vec::new());
    assert_snapshot!(crate::check(Format::Text, &View::new(&sources), &[report], PLAIN), @r"
    haproxy.cfg: HAProxy 3.2 (assumed), production (assumed), 2 backends, 2 servers, 9 directives, 8 understood
    no findings
    ");
}

#[test]
fn nothing_sounds_like_success_where_the_input_is_broken() {
    let sources = Sources::new();
    let broken = CheckReport { broken: true, ..report(Vec::new()) };
    let (_, compared) = compared();
    let compared = DiffReport { broken: true, findings: Vec::new(), ..compared };
    for format in [Format::Text, Format::Github] {
        let view = View::new(&sources);
        for output in [
            crate::check(format, &view, std::slice::from_ref(&broken), PLAIN),
            crate::diff(format, &view, &compared, PLAIN),
        ] {
            let last = output.lines().last().unwrap();
            assert!(
                last.ends_with("nothing can be concluded, because the configuration could not be read"),
                "{last}"
            );
            assert!(!last.contains("no findings") && !last.contains("no new findings"), "{last}");
        }
    }
}

#[test]
fn secrets_reach_no_output() {
    for format in Format::ALL {
        for output in [check(format), diff(format)] {
            assert!(!output.contains("hunter2"), "{}", format.as_str());
        }
    }
}

#[test]
fn nothing_in_a_file_or_its_name_controls_the_terminal() {
    let content = "\u{feff}backend \u{1b}[2J\u{202e}evil\u{7}\n".as_bytes();
    let output = one("a\u{1b}]0;x\u{7}.cfg", content, "evil", "`\u{1b}[31m\r\n` is \u{202e}wrong");
    assert!(output.chars().all(|letter| letter == '\n' || !letter.is_control()), "{output:?}");
    assert!(!output.contains('\u{202e}'), "{output:?}");
    assert_snapshot!(output);
}

#[test]
fn bytes_that_are_not_utf8_and_wide_characters_keep_the_caret_in_place() {
    assert_snapshot!(one("latin1.cfg", b"# caf\xe9\nserver caf\xe9 x\n", "x", "latin-1"));
    assert_snapshot!(one("wide.cfg", "\tserver 日本 bad\n".as_bytes(), "bad", "wide"));
}

#[test]
fn a_long_line_is_cut_around_what_matters() {
    let mut line = "é".repeat(50_000);
    line.push_str(" bad ");
    line.push_str(&"y".repeat(500_000));
    let output = one("minified.json", line.as_bytes(), "bad", "far along");
    assert!(output.contains("minified.json:1:50002"), "{output}");
    assert!(output.len() < 2_000, "{}", output.len());
}

#[test]
fn the_end_of_a_file_can_be_pointed_at() {
    let mut sources = Sources::new();
    let open = sources.add("open.cfg", b"backend api\n    server".to_vec());
    let empty = sources.add("empty.cfg", Vec::new());
    let findings = [(open, 22), (open, 12), (empty, 0)].map(|(file, at)| {
        finding(Diagnostic::new(
            RuleId::ConfigEmptyOrTruncated,
            Severity::Error,
            Span::new(file, at, at),
            "it ends here",
        ))
    });
    assert_snapshot!(crate::check(Format::Text, &View::new(&sources), &[report(findings.to_vec())], PLAIN));
}

#[test]
fn ten_thousand_findings_are_rendered_without_delay() {
    let mut sources = Sources::new();
    let text = "    server api1 10.0.0.1:80 weight 100 check\n".repeat(10_000);
    let lines = text.len() / 10_000;
    let file = sources.add("haproxy.cfg", text.into_bytes());
    let findings = (0..10_000)
        .map(|line| {
            let at = Span::new(file, line * lines + 4, line * lines + 10);
            finding(Diagnostic::new(RuleId::WeightOutlier, Severity::Error, at, "too heavy").help("less"))
        })
        .collect();
    let reports = [report(findings)];
    let begin = Instant::now();
    for format in Format::ALL {
        let output = crate::check(format, &View::new(&sources), &reports, PLAIN);
        assert!(output.len() > 10_000);
    }
    // Fifty times what it takes: this is about a second pass over the file for every finding, not about speed.
    assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
}

proptest! {
    /// Whatever a file holds and wherever a finding points, every format renders it and controls nothing.
    #[test]
    fn any_span_of_any_text_can_be_rendered(
        content in prop::collection::vec(prop_oneof![
            any::<u8>(),
            prop::sample::select(b"\n\r\t {}[]:;#'\"\\|>-&".to_vec()),
        ], 0..400),
        repeat in 1..8_usize,
        spans in prop::collection::vec((0..3_000_usize, 0..200_usize), 1..6),
        message in any::<String>(),
        path in any::<String>(),
    ) {
        let mut sources = Sources::new();
        let file = sources.add(path, content.repeat(repeat));
        let mut spans = spans.into_iter().map(|(start, length)| Span::new(file, start, start + length));
        let first = spans.next().expect("at least one");
        let mut diagnostic = Diagnostic::new(RuleId::SyntaxError, Severity::Error, first, message.clone()).help(message);
        for (index, span) in spans.enumerate() {
            diagnostic = diagnostic.also(span, if index % 2 == 0 { "" } else { "remark" });
        }
        let reports = [report(vec![finding(diagnostic)])];
        for format in Format::ALL {
            let output = crate::check(format, &View::new(&sources), &reports, PLAIN);
            prop_assert!(output.chars().all(|letter| letter == '\n' || !letter.is_control()), "{:?}", output);
        }
    }
}
