//! Runs the tool on the incidents beside it: what took a site down must not be deployed, the way back must.

#![allow(clippy::expect_used, reason = "a test that cannot be set up must fail")]

use std::path::PathBuf;
use std::process::{Command, Output};

fn gate(running: &str, candidate: &str) -> Output {
    let incidents = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../incidents");
    Command::new(env!("CARGO_BIN_EXE_deploy-gate"))
        .args([incidents.join(running), incidents.join(candidate)])
        .output()
        .expect("the tool runs")
}

#[test]
fn a_harmful_change_is_refused() {
    for (dialect, extension) in [("haproxy", "cfg"), ("nginx", "conf"), ("envoy", "yaml")] {
        let side = |side| format!("a-weight-on-a-few/{dialect}/{side}.{extension}");
        let output = gate(&side("old"), &side("new"));
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{dialect}: {said}");
        assert!(said.contains("[diff-share-moved]"), "{dialect}: {said}");
    }
}

#[test]
fn no_change_is_deployed() {
    let same = "a-weight-on-a-few/haproxy/old.cfg";
    assert_eq!(gate(same, same).status.code(), Some(0));
}

#[test]
fn what_is_no_configuration_is_refused() {
    assert_eq!(gate("a-weight-on-a-few/haproxy/old.cfg", "README.md").status.code(), Some(1));
    assert_eq!(gate("a-weight-on-a-few/haproxy/old.cfg", "missing").status.code(), Some(2));
}
