//! Mends: what is misspelt by one slip is written right again, nothing else moves, and a second time changes nothing.

use std::collections::BTreeMap;

use lbcheck::dialect::Dialect;
use lbcheck::fix;
use lbcheck::load::MemoryLoader;
use lbcheck::read::{ReadOptions, Reading, read};
use lbcheck::source::Sources;
use proptest::prelude::*;

use crate::support;

fn path(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::HaProxy => "haproxy.cfg",
        Dialect::Nginx => "nginx.conf",
        Dialect::Envoy => "envoy.yaml",
    }
}

fn read_text(dialect: Dialect, text: &str, sources: &mut Sources) -> Reading {
    let loader = MemoryLoader::one(path(dialect), text);
    read(&loader, sources, &[path(dialect).to_owned()], &ReadOptions::new(dialect))
}

/// The text after one round of mends, where there are any, and whether the new reading is confirmed.
fn mended(dialect: Dialect, text: &str) -> Option<(String, Result<(), fix::Refused>)> {
    let mut sources = Sources::new();
    let old = read_text(dialect, text, &mut sources);
    let report = support::check(&sources, &old);
    let files = fix::apply(&sources, fix::certain(&report.findings));
    let [file] = files.as_slice() else { return None };
    let after = String::from_utf8(file.content.clone()).expect("text");
    let loader = MemoryLoader { files: BTreeMap::new() };
    let overlay = fix::Overlay::new(&loader, &files);
    let new = read(&overlay, &mut sources, std::slice::from_ref(&file.path), &ReadOptions::new(dialect));
    let confirmed = fix::confirm(&sources, &old, &new, &files);
    Some((after, confirmed))
}

/// The text with every mend made that can be, round by round.
fn all_mended(dialect: Dialect, text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..4 {
        let mut sources = Sources::new();
        let old = read_text(dialect, &text, &mut sources);
        let fixes: Vec<_> = fix::certain(&support::check(&sources, &old).findings).cloned().collect();
        let proved = fix::provable(&fixes, |fixes| {
            let files = fix::apply(&sources, fixes.iter().copied());
            let loader = MemoryLoader { files: BTreeMap::new() };
            let overlay = fix::Overlay::new(&loader, &files);
            let new = read(&overlay, &mut sources, &[path(dialect).to_owned()], &ReadOptions::new(dialect));
            fix::confirm(&sources, &old, &new, &files).map(|()| files)
        });
        let Some(files) = proved.outcome else { break };
        text = String::from_utf8(files[0].content.clone()).expect("text");
    }
    text
}

#[test]
fn a_block_misspelt_is_mended_with_what_it_holds() {
    let text =
        "events {}\nhttp {\n  upstraem api {\n    server 10.0.0.1:80;\n    server 10.0.0.2:80;\n  }\n}\n";
    let (after, confirmed) = mended(Dialect::Nginx, text).expect("a mend");
    assert_eq!(after, text.replace("upstraem", "upstream"));
    assert_eq!(confirmed, Ok(()));
}

#[test]
fn what_speaks_of_a_mended_block_follows_it() {
    // With the word mended, the upstream that the location names exists.
    let text = "events {}\nhttp {\n  upstraem api { server 10.0.0.1:80; server 10.0.0.2:80; }\n  server {\n    listen 80;\n    location / {\n      proxy_pass http://api;\n    }\n  }\n}\n";
    let (after, confirmed) = mended(Dialect::Nginx, text).expect("a mend");
    assert_eq!(after, text.replace("upstraem", "upstream"));
    assert_eq!(confirmed, Ok(()));
    let text = "defaults\n  mode http\nfrontend web\n  bind :80\n  acll is_api path_beg /api\n  use_backend api if is_api\n  default_backend web\nbackedn api\n  server a 10.0.0.1:80\nbackend web\n  server a 10.0.0.1:80\n";
    assert_eq!(all_mended(Dialect::HaProxy, text), text.replace("backedn", "backend").replace("acll", "acl"));
}

#[test]
fn an_error_behind_a_mended_word_is_not_new() {
    let text = "frontend web\n  bind :80\n  default_backend api\nbackend api\n  servr a 10.0.0.1:80 chekc\n  balance nonsense\n";
    let wanted = text.replace("servr", "server").replace("chekc", "check");
    assert_eq!(all_mended(Dialect::HaProxy, text), wanted);
    let text =
        "events {}\nhttp {\n  servr {\n    lissten 80;\n    locatoin / { retrn 204; bogus on; }\n  }\n}\n";
    let wanted = text
        .replace("servr", "server")
        .replace("lissten", "listen")
        .replace("locatoin", "location")
        .replace("retrn", "return");
    assert_eq!(all_mended(Dialect::Nginx, text), wanted);
}

#[test]
fn one_mend_that_cannot_be_made_does_not_block_the_others() {
    // With the first word mended there would be two `root` in one place.
    let text = "events {}\nhttp {\n  server {\n    rooot /a;\n    root /b;\n    lissten 80;\n  }\n}\n";
    assert_eq!(all_mended(Dialect::Nginx, text), text.replace("lissten", "listen"));
}

#[test]
fn line_endings_and_a_missing_last_one_stay() {
    let text = "frontend web\r\n  bind :80\r\n  defualt_backend api\r\nbackend api\r\n  option httpchk\r\n  server a 10.0.0.1:80\r\n  servr b 10.0.0.2:80";
    let wanted = text.replace("defualt", "default").replace("servr", "server");
    let wanted = wanted.replace(".1:80", ".1:80 check").replace(".2:80", ".2:80 check");
    assert_eq!(all_mended(Dialect::HaProxy, text), wanted);
}

#[test]
fn a_key_in_quotes_keeps_them() {
    let text = "{\"static_resources\": {\"clusters\": [{\"name\": \"a\", \"type\": \"STATIC\", \"conect_timeout\": \"1s\"}]}}";
    let (after, _) = mended(Dialect::Envoy, text).expect("a mend");
    assert_eq!(after, text.replace("conect_timeout", "connect_timeout"));
}

/// The words of the examples that a slip is put into: names of directives and fields, not values.
fn words(dialect: Dialect) -> (String, Vec<(usize, usize)>) {
    let file = support::root().join("examples").join(path(dialect));
    let text = std::fs::read_to_string(file).expect("an example");
    let mut places = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at + line.len() - line.trim_start_matches([' ', '-']).len();
        let rest = &text[start..];
        let length = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(0);
        if length > 3 && !line.trim_start().starts_with('#') {
            places.push((start, start + length));
        }
        at += line.len();
    }
    (text, places)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// One slip in one word: the mended text is the one before the slip, or there is no mend.
    #[test]
    fn one_slip_is_mended_or_left(which in 0..3usize, word in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), kind in 0..3u8) {
        let dialect = Dialect::ALL[which];
        let (text, places) = words(dialect);
        let (start, end) = places[word.index(places.len())];
        let mut letters: Vec<char> = text[start..end].chars().collect();
        let place = at.index(letters.len() - 1);
        match kind {
            0 => { letters.remove(place); }
            1 => letters.insert(place, letters[place]),
            _ => letters.swap(place, place + 1),
        }
        let slipped = format!("{}{}{}", &text[..start], letters.into_iter().collect::<String>(), &text[end..]);
        let after = all_mended(dialect, &slipped);
        prop_assert!(after == text || after == slipped, "{slipped}\n became\n{after}");
    }
}

#[test]
fn a_mend_does_not_override_what_is_written_beside_it() {
    let config = |server: &str, timeout: &str| {
        format!(
            "defaults\n    mode http\n    timeout connect 1s\n    timeout client 9s\n    timeout server 9s\n\
             frontend f\n    bind :80\n    default_backend b\n\
             backend b\n{timeout}    server s1 10.0.0.1:80 check {server}\n    server s2 10.0.0.2:80 check weight 10\n"
        )
    };
    let refused =
        |text: &str| matches!(mended(Dialect::HaProxy, text), Some((_, Err(fix::Refused::Overrides(_)))));
    assert!(refused(&config("weight 10 wieght 1", "")));
    assert!(refused(&config("weight 10", "    timeout server 10s\n    tmeout server 3s\n")));
    // What `defaults` say is there to be overridden.
    let inherited = config("weight 10", "    tmeout server 3s\n");
    let (after, confirmed) = mended(Dialect::HaProxy, &inherited).expect("a mend");
    assert_eq!((after, confirmed), (inherited.replace("tmeout", "timeout"), Ok(())));
    let alone = config("wieght 10", "");
    let (after, confirmed) = mended(Dialect::HaProxy, &alone).expect("a mend");
    assert_eq!((after, confirmed), (alone.replace("wieght", "weight"), Ok(())));
    let cluster = |lines: &str| {
        format!(
            "static_resources:\n  clusters:\n  - name: a\n{lines}    type: STATIC\n    load_assignment: {{cluster_name: a}}\n"
        )
    };
    let twice = cluster("    connect_timeout: 1s\n    connect_timout: 2s\n");
    assert!(
        matches!(mended(Dialect::Envoy, &twice), Some((_, Err(_)))),
        "{:?}",
        mended(Dialect::Envoy, &twice)
    );
}
