//! Whatever the bytes: no panic, spans inside the file, tokens that add up.

// Clippy's allowance for tests does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use lbcheck::dialect::Dialect;
use lbcheck::envoy::tokens;
use lbcheck::load::MemoryLoader;
use lbcheck::read::{ReadOptions, Reading, read};
use lbcheck::source::Sources;
use lbcheck::traffic::pool_shares;
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

/// With a cost of localities times endpoints this takes minutes.
#[test]
fn a_locality_for_each_endpoint_is_shared_in_one_pass() {
    const COUNT: usize = 50_000;
    let mut text = "static_resources:
  clusters:
  - name: c
    common_lb_config: {locality_weighted_lb_config: {}}
    load_assignment:
      cluster_name: c
      endpoints:
"
    .to_owned();
    for zone in 0..COUNT {
        writeln!(
            text,
            "      - {{locality: {{zone: z{zone}}}, load_balancing_weight: 2, lb_endpoints: [{{endpoint: \
             {{address: {{socket_address: {{address: 10.0.0.1, port_value: {}}}}}}}}}]}}",
            zone + 1
        )
        .unwrap();
    }
    let reading = run("envoy.yaml", text.as_bytes());
    let started = Instant::now();
    let shares = pool_shares(Dialect::Envoy, &reading.config.pools[0]).shares;
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(shares.len(), COUNT);
    assert!(shares.iter().all(|share| (share * COUNT as f64 - 1.0).abs() < 1e-9));
}

#[test]
fn suggestions_are_capped_for_a_file_of_unknown_fields() {
    let mut text = "static_resources:\n  clusters:\n  - name: c\n".to_owned();
    for number in 0..1_000 {
        writeln!(text, "    lb_polic{number}: 1").unwrap();
    }
    let reading = run("envoy.yaml", text.as_bytes());
    let unknown = || reading.diagnostics.iter().filter(|found| found.rule == "unknown-directive");
    assert_eq!(unknown().count(), 1_000);
    assert!(unknown().next().unwrap().help.is_some());
    assert!(unknown().next_back().unwrap().help.is_none());
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
