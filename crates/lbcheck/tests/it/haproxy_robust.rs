//! The HAProxy reader survives anything, loses nothing and stays linear.

use lbcheck::dialect::Dialect;
use lbcheck::haproxy::tokens;
use lbcheck::load::MemoryLoader;
use lbcheck::model::Host;
use lbcheck::read::{ReadOptions, Reading, read};
use lbcheck::source::Sources;
use proptest::prelude::*;

const SAMPLE: &str = "\
global
  maxconn 1000 # comment
  setenv PORT 80
.if version_atleast(3.0) && !defined(X)
  log stdout format raw local0
.endif
defaults base
  mode http
  timeout server 30s
  default-server inter 3s fall 3 check
frontend web from base
  bind :80,[::]:8080 name 'a b' accept-proxy
  acl api path_beg -i /api \"/v${N-2}\"
  http-request deny deny_status 429 if { src 10.0.0.0/8 } !api || { rand(100) lt 5 }
  http-request set-header X-Id %[req.hdr(host),map_regm(file,\"x\")]
  use_backend %[path,field(2,/)] if api
  default_backend app
backend app
  balance hash req.cook(sid)
  hash-type consistent sdbm avalanche
  option httpchk GET /health
  stick-table type ip size 100k expire 30m
  stick on src
  use-server s1 if { hdr(x) y }
  server s1 10.0.0.1:$PORT weight 10 cookie a
  server-template t 1-3 app.example:+10 disabled backup
peers p
  peer one 10.0.0.9:1024
";

fn parse(bytes: &[u8]) -> Reading {
    let loader = MemoryLoader::one("haproxy.cfg", bytes);
    let options = ReadOptions::new(Dialect::HaProxy);
    read(&loader, &mut Sources::new(), &["haproxy.cfg".to_owned()], &options)
}

fn joined(bytes: &[u8]) -> Vec<u8> {
    tokens(bytes).iter().flat_map(|token| token.bytes.iter().copied()).collect()
}

#[test]
fn every_truncation_and_every_damaged_byte_is_survived() {
    let bytes = SAMPLE.as_bytes();
    for at in 0..bytes.len() {
        parse(&bytes[..at]);
        assert_eq!(joined(&bytes[..at]), &bytes[..at]);
        for damage in [b'\n', b'"', b'\\', 0xff] {
            let mut damaged = bytes.to_vec();
            damaged[at] = damage;
            parse(&damaged);
            assert_eq!(joined(&damaged), damaged);
        }
    }
}

#[test]
fn every_missing_word_is_survived() {
    for line in SAMPLE.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        for count in 0..words.len() {
            let shorter = SAMPLE.replace(line, &words[..count].join(" "));
            parse(shorter.as_bytes());
        }
    }
}

#[test]
fn deep_and_long_input_is_survived() {
    for text in [
        format!("backend b\n use-server s if {}\n", "!".repeat(200_000)),
        format!("backend b\n use-server s if {}\n", "{ ".repeat(60)),
        format!("backend b\n acl a {}\n", "f(".repeat(200_000)),
        ".if 1\n".repeat(100_000),
        format!(".if {}\n", "(".repeat(200_000)),
        format!("backend b\n server s {}\n", "a:".repeat(200_000)),
        "defaults a from a\n".repeat(10_000),
    ] {
        parse(text.as_bytes());
    }
}

/// Many rules that use one large ACL, and many sections that inherit many rules, must not cost their product.
#[test]
fn shared_acls_and_rules_cost_no_product() {
    let patterns = format!(" acl big hdr(host) {}\n", "h ".repeat(60)).repeat(2_000);
    let rules = " use_backend b if big\n".repeat(2_000);
    let reading = parse(format!("frontend f\n mode http\n{patterns}{rules}backend b\n").as_bytes());
    assert_eq!(reading.config.tables[0].routes.len(), 2_001);
    let shared = format!("defaults d\n mode http\n{}", " http-request deny if { path /x }\n".repeat(2_000));
    let heirs: String = (0..2_000).map(|number| format!("backend b{number} from d\n")).collect();
    assert_eq!(parse(format!("{shared}{heirs}").as_bytes()).config.pools.len(), 2_000);
}

/// Variables that double each other would ask for more memory than there is; the rest of the file is still read.
#[test]
fn doubled_variables_cost_no_memory() {
    let doubling: String =
        (1..60).map(|number| format!(" setenv A{number} \"$A{0}$A{0}\"\n", number - 1)).collect();
    let list = " log \"${A12[*]}\"\n".repeat(2_000);
    let text = format!(
        "global\n setenv A0 'x '\n{doubling}{list}backend b\n server s \"$A59\"\n server t $A14$A14$A14$A14$A14:1\n"
    );
    let reading = parse(text.as_bytes());
    let words: Vec<&str> = reading
        .diagnostics
        .iter()
        .filter(|found| found.message.contains("longer than lbcheck follows"))
        .map(|found| &text[found.primary.span.range()])
        .collect();
    assert_eq!(words, ["\"$A15$A15\""]);
    let endpoints = &reading.config.pools[0].endpoints;
    assert_eq!(endpoints.len(), 2);
    assert!(endpoints.iter().all(|endpoint| matches!(endpoint.address.host, Host::Unknown(_))));
}

/// Each unknown word is blamed, but not each compared with all known ones.
#[test]
fn many_unknown_keywords_are_all_reported() {
    let text: String = (0..5_000).map(|number| format!(" servr{number} x\n")).collect();
    let reading = parse(format!("backend b\n servr a\n{text}").as_bytes());
    assert_eq!(reading.diagnostics.len(), 5_001);
    assert_eq!(reading.diagnostics[0].help.as_deref(), Some("did you mean `server`?"));
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        parse(&bytes);
        prop_assert_eq!(joined(&bytes), bytes);
    }

    #[test]
    fn any_shuffle_of_words_is_survived(
        words in proptest::collection::vec(proptest::sample::select(SAMPLE.split_whitespace().collect::<Vec<_>>()), 0..120),
        breaks in proptest::collection::vec(any::<bool>(), 120),
    ) {
        let mut text = String::from("backend b\n");
        for (word, end) in words.iter().zip(&breaks) {
            text.push_str(word);
            text.push(if *end { '\n' } else { ' ' });
        }
        parse(text.as_bytes());
        prop_assert_eq!(joined(text.as_bytes()), text.as_bytes());
    }
}
