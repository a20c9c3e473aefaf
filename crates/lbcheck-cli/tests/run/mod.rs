//! What a script of commands cannot show: pipes, permissions, files written, the environment.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cli")
}

fn lbcheck(directory: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lbcheck"));
    command.current_dir(cases().join(directory)).env_remove("LBCHECK_ENV").env_remove("CLICOLOR_FORCE");
    command
}

fn run(directory: &str, arguments: &[&str]) -> Output {
    lbcheck(directory).args(arguments).output().expect("lbcheck runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

/// A directory of this test's own, removed when it ends well.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a scratch directory");
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a plain path").to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = lbcheck("check.in")
        .args(["rules", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("lbcheck runs");
    let mut first = [0; 1];
    child.stdout.as_mut().expect("piped").read_exact(&mut first).expect("some output");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("lbcheck ends");
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn messages_about_arguments_show_no_secrets() {
    let arguments: [&[&str]; 4] = [
        &["route", "heavy.cfg", "--request", "GET", "http://joe:hunter22@h/"],
        &["route", "heavy.cfg", "--request", "joe:hunter22@h/"],
        &["route", "heavy.cfg", "--request", "http://joe:hunter22@h/"],
        &["check", "--nonsense=http://joe:hunter22@h/?token=hunter22"],
    ];
    for arguments in arguments {
        let output = run("check.in", arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(!text(&output.stderr).contains("hunter22"), "{}", text(&output.stderr));
    }
}

#[test]
fn findings_and_messages_are_kept_apart() {
    let findings = run("check.in", &["check", "heavy.cfg"]);
    assert_eq!(text(&findings.stderr), "");
    assert_eq!(findings.status.code(), Some(1));
    let failure = run("check.in", &["check", "missing.cfg"]);
    assert_eq!(text(&failure.stdout), "");
    assert_eq!(failure.status.code(), Some(2));
}

#[test]
fn formats_go_to_files_and_agree() {
    let scratch = Scratch::new("formats");
    let (json, sarif) = (scratch.path("out.json"), scratch.path("out.sarif"));
    let output = run(
        "check.in",
        &[
            "check",
            "heavy.cfg",
            "--format",
            &format!("json={json}"),
            "--format",
            &format!("sarif={sarif}"),
            "--format",
            "github",
        ],
    );
    assert_eq!(output.status.code(), Some(1));
    let annotations = text(&output.stdout).lines().filter(|line| line.starts_with("::")).count();
    let json: serde_json::Value = serde_json::from_slice(&fs::read(json).expect("written")).expect("JSON");
    let sarif: serde_json::Value = serde_json::from_slice(&fs::read(sarif).expect("written")).expect("JSON");
    let count = |value: &serde_json::Value| value.as_array().map(Vec::len);
    assert_eq!(count(&json["findings"]), Some(annotations));
    assert_eq!(count(&sarif["runs"][0]["results"]), Some(annotations));
    assert_eq!(json["verdict"], "fail");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for format in ["text", "json", "sarif", "github"] {
        let arguments = ["diff", "old.cfg", "new.cfg", "--format", format];
        assert_eq!(run("diff.in", &arguments).stdout, run("diff.in", &arguments).stdout, "{format}");
    }
}

#[test]
fn colour_is_only_used_when_asked_for() {
    let plain = run("check.in", &["check", "heavy.cfg"]);
    assert!(!text(&plain.stdout).contains('\u{1b}'));
    let coloured = run("check.in", &["check", "heavy.cfg", "--color", "always"]);
    assert!(text(&coloured.stdout).contains('\u{1b}'));
    for format in ["json", "sarif", "github"] {
        let output = run("check.in", &["check", "heavy.cfg", "--color", "always", "--format", format]);
        assert!(!text(&output.stdout).contains('\u{1b}'), "{format}");
    }
}

#[test]
fn the_environment_can_be_named_by_a_variable() {
    let named = |value: &str, arguments: &[&str]| {
        let output = lbcheck("policy.in")
            .env("LBCHECK_ENV", value)
            .args(["check", "deploy/haproxy.cfg", "--format", "json"])
            .args(arguments)
            .output()
            .expect("lbcheck runs");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        report["inputs"][0]["environment"].as_str().expect("a name").to_owned()
    };
    assert_eq!(named("staging", &[]), "staging");
    assert_eq!(named("", &[]), "production");
    assert_eq!(named("staging", &["--env", "production"]), "production");
}

#[test]
fn a_policy_above_the_current_directory_holds() {
    let output = run("policy.in/deploy/staging", &["check", "haproxy.cfg", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["inputs"][0]["environment"], "staging");
    assert_eq!(report["inputs"][0]["version"], "2.8");
}

#[test]
fn every_rule_can_be_explained() {
    let listed = run("check.in", &["rules"]);
    for line in text(&listed.stdout).lines() {
        let id = line.split_whitespace().next().expect("an id");
        let page = run("check.in", &["explain", id]);
        assert_eq!(page.status.code(), Some(0));
        assert!(text(&page.stdout).starts_with(&format!("# {id}\n")), "{id}");
    }
}

#[test]
fn standard_input_is_read_once_and_whole() {
    let mut child = lbcheck("check.in")
        .args(["model", "--dialect", "nginx", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("lbcheck runs");
    let config = fs::read(cases().join("check.in/nginx.conf")).expect("a case");
    child.stdin.take().expect("piped").write_all(&config).expect("it reads");
    let output = child.wait_with_output().expect("lbcheck ends");
    let model: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(model["configurations"][0]["pools"][0]["name"], "api");
    assert_eq!(model["configurations"][0]["input"]["path"], "<stdin>");
}

/// Every output of every command that writes JSON satisfies its schema.
#[test]
fn json_satisfies_the_schemas() {
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let outputs = [
        ("report", "check.in", vec!["check", "heavy.cfg", "nginx.conf", "envoy.yaml", "--format", "json"]),
        ("report", "check.in", vec!["check", "typo.cfg", "--format", "json"]),
        ("diff", "diff.in", vec!["diff", "old.cfg", "new.cfg", "--format", "json"]),
        ("diff", "diff.in", vec!["diff", "old.conf", "new.conf", "--format", "json"]),
        ("model", "check.in", vec!["model", "heavy.cfg", "nginx.conf", "envoy.yaml"]),
        ("rules", "check.in", vec!["rules", "--format", "json"]),
    ];
    for (name, directory, arguments) in outputs {
        let path = schemas.join(format!("lbcheck.{name}.v1.schema.json"));
        let schema = serde_json::from_slice(&fs::read(path).expect("a schema")).expect("JSON");
        let validator = jsonschema::validator_for(&schema).expect("a valid schema");
        let output = run(directory, &arguments);
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let violations: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(violations.is_empty(), "{arguments:?}: {violations:?}");
    }
}

#[cfg(unix)]
mod unix {
    use super::*;

    /// Whether this user reads what nobody may read.
    fn is_superuser(scratch: &Scratch) -> bool {
        let path = scratch.path("closed");
        fs::write(&path, "x").expect("written");
        close(&path);
        fs::read(&path).is_ok()
    }

    fn close(path: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o000)).expect("closed");
    }

    #[test]
    fn files_that_may_not_be_read_are_named() {
        let scratch = Scratch::new("permissions");
        if is_superuser(&scratch) {
            return;
        }
        let path = scratch.path("haproxy.cfg");
        fs::write(&path, "global\n").expect("written");
        close(&path);
        let output = run("check.in", &["check", &path]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("permission denied"));
    }

    #[test]
    fn devices_and_pipes_are_refused_and_do_not_block() {
        let scratch = Scratch::new("pipes");
        let pipe = scratch.path("pipe.cfg");
        let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
        assert!(made.success());
        for path in ["/dev/zero", pipe.as_str()] {
            let output = run("check.in", &["check", "--dialect", "haproxy", path]);
            assert_eq!(output.status.code(), Some(2), "{path}");
            assert!(text(&output.stderr).contains("not a regular file"), "{path}");
        }
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else { return };
        let output = lbcheck("check.in").arg("rules").stdout(full).output().expect("lbcheck runs");
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("cannot write to standard output"));
    }

    /// `lbcheck diff <(git show …) haproxy.cfg`.
    #[test]
    fn process_substitution_is_read() {
        let script = format!("{} diff <(cat old.cfg) old.cfg", env!("CARGO_BIN_EXE_lbcheck"));
        let Ok(output) =
            Command::new("bash").args(["-c", &script]).current_dir(cases().join("diff.in")).output()
        else {
            return;
        };
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(text(&output.stdout).starts_with("no change"));
    }
}

/// A file of a scratch directory, as it is after a run of `check --fix`.
fn fixed(name: &str, config: &str, arguments: &[&str]) -> (Output, String) {
    let scratch = Scratch::new(&format!("fix-{name}"));
    let path = scratch.path("haproxy.cfg");
    fs::write(&path, config).expect("written");
    let output = run("check.in", &[&["check", path.as_str(), "--fix", "--no-config"], arguments].concat());
    let left: Vec<_> =
        fs::read_dir(&scratch.0).expect("there").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["haproxy.cfg"], "nothing is left beside the file");
    (output, fs::read_to_string(&path).expect("there"))
}

const MISSPELT: &str = "\
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend web
    bind :8080
    default_backend api
backend api
    blance leastconn # why not
    option httpchk GET /health
    server a 10.0.0.1:80
    server b 10.0.0.2:80 maxconn 100   # second
";

#[test]
fn what_is_certain_is_mended_once() {
    let (output, mended) = fixed("once", MISSPELT, &[]);
    assert_eq!(text(&output.stderr), "lbcheck: 3 places were mended\n");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let wanted = MISSPELT
        .replace("blance", "balance")
        .replace("10.0.0.1:80", "10.0.0.1:80 check")
        .replace("maxconn 100", "maxconn 100 check");
    assert_eq!(mended, wanted);
    let (output, again) = fixed("again", &mended, &[]);
    assert_eq!(text(&output.stderr), "lbcheck: nothing has a certain mend\n");
    assert_eq!(again, mended);
}

#[test]
fn a_dry_run_writes_nothing_and_shows_no_secret() {
    let config =
        MISSPELT.replace("    mode http\n", "    mode http\n    stats auth admin:hunter2\n    retreis 2\n");
    let (output, after) = fixed("dry", &config, &["--dry-run"]);
    assert_eq!(after, config);
    assert_eq!(output.status.code(), Some(1));
    let patch = text(&output.stdout);
    assert!(patch.contains("-    retreis 2\n+    retries 2\n"), "{patch}");
    assert!(
        patch.contains("     stats auth admin:***\n") || patch.contains("     stats auth ***\n"),
        "{patch}"
    );
    assert!(!patch.contains("hunter2"), "{patch}");
}

#[test]
fn what_has_two_readings_is_left_alone() {
    // `no-check` was written on purpose, and there are two words as close to `tim`.
    let config = MISSPELT
        .replace("10.0.0.1:80", "10.0.0.1:80 no-check")
        .replace("    blance leastconn # why not\n", "");
    let (output, after) = fixed("purpose", &config, &[]);
    assert_eq!(text(&output.stderr), "lbcheck: nothing has a certain mend\n");
    assert_eq!(after, config);
}

#[cfg(unix)]
#[test]
fn permissions_and_links_stay() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let scratch = Scratch::new("fix-link");
    let (path, link) = (scratch.path("haproxy.cfg"), scratch.path("link.cfg"));
    fs::write(&path, MISSPELT).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("set");
    symlink("haproxy.cfg", &link).expect("linked");
    let output = run("check.in", &["check", &link, "--fix", "--no-config"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
    assert!(fs::read_to_string(&path).expect("there").contains("balance leastconn"));
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o7777, 0o640);
}

#[test]
fn a_mend_that_cannot_be_made_is_named_and_the_others_are_made() {
    let config = "events {}\nhttp {\n  server {\n    rooot /a;\n    root /b;\n    lissten 80;\n  }\n}\n";
    let scratch = Scratch::new("fix-some");
    let path = scratch.path("nginx.conf");
    fs::write(&path, config).expect("written");
    let dry = run("check.in", &["check", &path, "--fix", "--dry-run", "--no-config"]);
    assert!(text(&dry.stdout).contains("-    lissten 80;\n+    listen 80;\n"), "{}", text(&dry.stdout));
    let output = run("check.in", &["check", &path, "--fix", "--no-config"]);
    let said = text(&output.stderr);
    let (first, second) = said.split_once('\n').expect("two lines");
    assert_eq!(first, "lbcheck: 1 place was mended");
    let place =
        format!("lbcheck: not mended: {path}:4: write `root`: the mended text would have a new error: ");
    assert!(second.starts_with(&place), "{said}");
    assert_eq!(text(&dry.stderr), second);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(fs::read_to_string(&path).expect("there"), config.replace("lissten", "listen"));
}

#[test]
fn a_file_that_two_configurations_include_is_mended_once() {
    let scratch = Scratch::new("fix-shared");
    fs::write(scratch.path("shared.conf"), "server { lissten 80; retrun 204; }\n").expect("written");
    let main = |name: &str| {
        let path = scratch.path(name);
        fs::write(&path, "events {}\nhttp { include shared.conf; }\n").expect("written");
        path
    };
    let (one, two) = (main("one.conf"), main("two.conf"));
    let output = run("check.in", &["check", &one, &two, "--fix", "--no-config"]);
    assert_eq!(text(&output.stderr), "lbcheck: 2 places were mended\n");
    let mended = fs::read_to_string(scratch.path("shared.conf")).expect("there");
    assert_eq!(mended, "server { listen 80; return 204; }\n");
}

#[test]
fn standard_input_cannot_be_mended() {
    let mut child = lbcheck("check.in")
        .args(["check", "-", "--dialect", "haproxy", "--fix", "--no-config"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("lbcheck runs");
    child.stdin.take().expect("piped").write_all(MISSPELT.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("lbcheck ends");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "error: `<stdin>` cannot be mended in place: name a file, or see the mends with --dry-run\n"
    );
}

#[test]
fn a_report_does_not_overwrite_the_configuration() {
    let scratch = Scratch::new("overwrite");
    let (path, text_of) = (scratch.path("haproxy.cfg"), "listen l\n    bind :80\n");
    fs::write(&path, text_of).expect("written");
    let output = run("check.in", &["check", &path, "--format", &format!("json={path}")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("is the configuration: name another file"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(fs::read_to_string(&path).expect("still there"), text_of);
}

#[test]
fn a_pool_that_nobody_serves_is_not_expected() {
    let scratch = Scratch::new("unserved");
    let path = scratch.path("haproxy.cfg");
    let servers =
        ["", "server s 10.0.0.1:80 disabled", "server s 10.0.0.1:80 weight 0", "server s 10.0.0.1:80"];
    let codes = servers.map(|server| {
        let config = format!("frontend f\n    bind :80\n    default_backend b\nbackend b\n    {server}\n");
        fs::write(&path, config).expect("written");
        run("check.in", &["route", &path, "--request", "GET http://x/", "--expect", "b"]).status.code()
    });
    assert_eq!(codes, [Some(1), Some(1), Some(1), Some(0)]);
}
