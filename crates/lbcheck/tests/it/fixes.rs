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

#[test]
fn a_block_misspelt_is_mended_with_what_it_holds() {
    let text =
        "events {}\nhttp {\n  upstraem api {\n    server 10.0.0.1:80;\n    server 10.0.0.2:80;\n  }\n}\n";
    let (after, confirmed) = mended(Dialect::Nginx, text).expect("a mend");
    assert_eq!(after, text.replace("upstraem", "upstream"));
    assert_eq!(confirmed, Ok(()));
}

#[test]
fn a_mend_that_changes_another_place_is_refused() {
    // With the word mended, the upstream that the location names exists: its route is another one.
    let text = "events {}\nhttp {\n  upstraem api { server 10.0.0.1:80; server 10.0.0.2:80; }\n  server {\n    listen 80;\n    location / {\n      proxy_pass http://api;\n    }\n  }\n}\n";
    let (_, confirmed) = mended(Dialect::Nginx, text).expect("a mend");
    assert!(matches!(confirmed, Err(fix::Refused::Elsewhere(..))), "{confirmed:?}");
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

    /// One slip in one word: where there is a mend at all, the text is what it was, or valid in another way; the mended
    /// text reads as the same configuration but for the mend; and mending again changes nothing.
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
        if let Some((after, confirmed)) = mended(dialect, &slipped)
            && confirmed.is_ok()
        {
            prop_assert_eq!(slipped.lines().count(), after.lines().count());
            let differing = slipped.lines().zip(after.lines()).filter(|(old, new)| old != new).count();
            prop_assert!(differing >= 1);
            prop_assert!(mended(dialect, &after).is_none_or(|(again, _)| again == after), "{after}");
            if differing == 1 {
                prop_assert_eq!(&after, &text);
            }
        }
    }
}
