//! Whatever the bytes: no panic, spans inside the file, tokens that add up.

// Clippy's allowance for tests does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

use lbcheck::dialect::Dialect;
use lbcheck::envoy::tokens;
use lbcheck::load::MemoryLoader;
use lbcheck::read::{ReadOptions, Reading, read};
use lbcheck::source::Sources;
use proptest::prelude::*;

const SAMPLE: &str = include_str!("data/envoy.yaml");

fn run(path: &str, bytes: &[u8]) -> Reading {
    let loader = MemoryLoader::one(path, bytes);
    let mut sources = Sources::new();
    let reading = read(&loader, &mut sources, &[path.to_owned()], &ReadOptions::new(Dialect::Envoy));
    for diagnostic in &reading.diagnostics {
        let span = diagnostic.primary.span;
        assert!(span.start <= span.end && span.end as usize <= sources.file(span.file).bytes().len());
        // A span that cuts a character would print as nothing.
        assert!(sources.file(span.file).text().get(span.range()).is_some(), "{diagnostic:?}");
    }
    reading
}

fn tokens_add_up(bytes: &[u8]) {
    let parts: Vec<&[u8]> = tokens(bytes).iter().map(|token| token.bytes).collect();
    assert!(parts.iter().all(|part| !part.is_empty()));
    assert_eq!(parts.concat(), bytes);
}

#[test]
fn the_sample_is_clean() {
    let reading = run("envoy.yaml", SAMPLE.as_bytes());
    assert_eq!(reading.diagnostics, []);
    assert_eq!(reading.config.coverage.gaps, []);
    assert_eq!(reading.config.coverage.understood, reading.config.coverage.total);
    tokens_add_up(SAMPLE.as_bytes());
}

#[test]
fn every_truncation_is_read() {
    for end in (0..SAMPLE.len()).filter(|&end| SAMPLE.is_char_boundary(end)).step_by(37) {
        run("envoy.yaml", &SAMPLE.as_bytes()[..end]);
        tokens_add_up(&SAMPLE.as_bytes()[..end]);
    }
}

#[test]
fn deep_nesting_is_refused_not_followed() {
    for (open, path) in
        [("[", "a.yaml"), ("{a: ", "a.yaml"), ("[", "a.json"), ("{\"a\":", "a.json"), ("- ", "a.yaml")]
    {
        let text = open.repeat(100_000);
        assert!(run(path, text.as_bytes()).broken, "{open}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        run("envoy.yaml", &bytes);
        run("envoy.json", &bytes);
        tokens_add_up(&bytes);
    }

    #[test]
    fn yaml_soup(text in "([a-z]{1,3}|[:\\-,\\[\\]{}&*!|>'\"#%?\n\t ~<@]| |\n  ){0,60}") {
        run("envoy.yaml", text.as_bytes());
        tokens_add_up(text.as_bytes());
    }

    #[test]
    fn mutations(at in 0..SAMPLE.len(), byte in any::<u8>(), cut in 0usize..40) {
        let mut bytes = SAMPLE.as_bytes().to_vec();
        bytes[at] = byte;
        let end = (at + cut).min(bytes.len());
        if cut % 2 == 0 {
            bytes.drain(at..end);
        }
        run("envoy.yaml", &bytes);
        tokens_add_up(&bytes);
    }
}
