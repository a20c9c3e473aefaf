//! The tables of words against what the program says of itself with `-dKall`.

use std::process::{Command, Stdio};

use lbcheck::dialect::{Dialect, Version};
use lbcheck::load::MemoryLoader;
use lbcheck::read::{ReadOptions, read};
use lbcheck::source::Sources;

use lbcheck_verify::program::Program;

/// What the program lists, by the headings of its list.
fn listed(program: &Program) -> Vec<(String, String)> {
    let output = Command::new(&program.path)
        .args(["-dKall", "-c", "-f", "/dev/null"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (mut heading, mut section) = (String::new(), String::new());
    let mut words = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some(text) = line.strip_prefix("# List of registered ") {
            heading = text.trim_end_matches(':').to_owned();
        } else if line.starts_with('#') || line.trim().is_empty() {
            continue;
        } else if heading == "configuration keywords" {
            match line.strip_prefix('\t') {
                Some(word) => words.push((format!("{heading} {section}"), word.trim().to_owned())),
                None => line.trim().clone_into(&mut section),
            }
        } else {
            words.push((heading.clone(), line.trim().to_owned()));
        }
    }
    words
}

/// A file that uses a listed word. `None`: it cannot stand alone.
fn file_with(heading: &str, entry: &str) -> Option<(String, String)> {
    let name = |text: &str| text.split(['(', ':', ' ']).next().unwrap_or_default().to_owned();
    let proxy = |line: String| format!("listen l\n {line}\n");
    match heading {
        "ACL keywords" => {
            let word = name(entry);
            Some((proxy(format!("acl a {word} x")), word))
        }
        "sample fetch functions" => {
            let word = name(entry.split_once("] ")?.1);
            Some((proxy(format!("http-request set-var(txn.x) {word}")), word))
        }
        "sample converter functions" => {
            let word = name(entry);
            Some((proxy(format!("http-request set-var(txn.x) str(x),{word}")), word))
        }
        "configuration keywords global" if !entry.contains(' ') => {
            Some((format!("global\n {entry}\n"), entry.to_owned()))
        }
        "configuration keywords listen" => {
            let words: Vec<&str> = entry.split(' ').collect();
            match words.as_slice() {
                ["bind", "<addr>", rest @ ..] => {
                    let word = rest.iter().find(|word| **word != "ssl")?;
                    Some((proxy(format!("bind :80 {word} 1")), (*word).to_owned()))
                }
                ["server", "<name>", "<addr>", word, ..] => {
                    Some((proxy(format!("server s 10.0.0.1:80 {word} 1")), (*word).to_owned()))
                }
                ["option", word, ..] => Some((proxy(format!("option {word}")), (*word).to_owned())),
                ["http-request" | "http-response" | "http-after-response", word] => {
                    Some((proxy(entry.replace('*', "(txn.x)")), word.trim_end_matches('*').to_owned()))
                }
                ["tcp-request" | "tcp-response", _, word] => {
                    Some((proxy(entry.replace('*', "(txn.x)")), word.trim_end_matches('*').to_owned()))
                }
                [word] => Some((proxy(format!("{word} x")), (*word).to_owned())),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The words that are not known, as lbcheck reads a file for this version.
fn unknown(text: &str, version: Version) -> Vec<String> {
    let mut sources = Sources::new();
    let mut options = ReadOptions::new(Dialect::HaProxy);
    options.version = version;
    let reading =
        read(&MemoryLoader::one("a.cfg", text.as_bytes()), &mut sources, &["a.cfg".to_owned()], &options);
    let unknown = reading.diagnostics.iter().filter(|found| found.rule == "unknown-directive");
    unknown.map(|found| found.message.clone()).collect()
}

#[test]
fn every_word_the_program_lists_is_known() {
    let name = "every_word_the_program_lists_is_known";
    let Some(program) = Program::for_test(Dialect::HaProxy, name) else { return };
    let version = program.version().unwrap();
    let words = listed(&program);
    assert!(words.len() > 1_000, "only {} words are listed", words.len());
    let mut missing = Vec::new();
    for (heading, entry) in &words {
        let Some((text, word)) = file_with(heading, entry) else { continue };
        // Listed for the advice they are refused with.
        let refused = ["nbproc", "tune.chksize", "cliexp", "clitimeout", "contimeout", "srvtimeout"];
        if unknown(&text, version).iter().any(|message| message.contains(&format!("`{word}`")))
            && !refused.contains(&word.as_str())
        {
            missing.push(format!("{heading}: {entry}"));
        }
    }
    assert!(missing.is_empty(), "HAProxy {version} knows, and lbcheck does not:\n{}", missing.join("\n"));
}

#[test]
fn words_come_and_go_with_versions() {
    let in_proxy = |line: &str, version: (u16, u16)| {
        unknown(&format!("listen l\n {line}\n"), Version::new(version.0, version.1)).is_empty()
    };
    // Each pair: the newest asked version that refuses it, and the oldest that takes it.
    let came = [
        ("acl a fc_dst_port 1", (2, 4), (2, 6)),
        ("option forwarded", (2, 6), (2, 8)),
        ("server s 10.0.0.1:80 hash-key id", (2, 8), (3, 0)),
        ("acl a bc_reused", (3, 0), (3, 2)),
        ("server s 10.0.0.1:80 cc reno", (3, 2), (3, 4)),
    ];
    for (line, without, with) in came {
        assert!(!in_proxy(line, without), "{line} in {without:?}");
        assert!(in_proxy(line, with), "{line} in {with:?}");
    }
    assert!(unknown("program p\n command x\n", Version::new(3, 2)).is_empty());
    assert!(!unknown("program p\n command x\n", Version::new(3, 4)).is_empty());
}
