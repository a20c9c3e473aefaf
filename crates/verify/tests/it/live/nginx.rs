//! Running nginx: it has no interface to its state, so it is asked by requests.

use std::process::Command;

use lbcheck::dialect::Dialect;

use super::ask::ask_all;
use lbcheck_verify::process::{Prepared, Running, Scratch, get, prepare};
use lbcheck_verify::program::Program;

#[test]
fn requests_go_where_the_model_says() {
    let Some(program) = Program::for_test(Dialect::Nginx, "live::nginx") else { return };
    let mut differences = Vec::new();
    let (mut sent, mut decided) = (0, 0);
    for (name, text) in super::configs(Dialect::Nginx) {
        let prepared = prepare(&text);
        let reading = super::model(Dialect::Nginx, program.version(), &prepared.text);
        let scratch = Scratch::new();
        let _running = start(&program, &scratch, &prepared).expect(&name);
        let asked = ask_all(&prepared, &reading.config);
        sent += asked.sent;
        decided += asked.decided;
        differences.extend(asked.differences.into_iter().map(|difference| format!("{name}: {difference}")));
    }
    super::report(&differences);
    // A model that knows nothing would agree with everything.
    assert!(decided * 10 >= sent * 8, "the model decides only {decided} of {sent} requests");
}

/// Starts nginx in one process, its temporary files and process id in the scratch folder.
fn start(program: &Program, scratch: &Scratch, prepared: &Prepared) -> Result<Running, String> {
    let folder = scratch.path().display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!(" {kind}_temp_path {folder}/{kind};"))
        .concat();
    let text = prepared.text.replacen("http {", &format!("http {{{temporary} access_log off;"), 1);
    let mut command = Command::new(&program.path);
    command
        .args(["-e", "stderr", "-g", &format!("daemon off; master_process off; pid {folder}/pid;"), "-p"])
        .arg(scratch.path())
        .arg("-c")
        .arg(scratch.write("nginx.conf", &text));
    let first = prepared.text.lines().find_map(|line| line.strip_prefix("# ask ")?.split(' ').next());
    let port: u16 = first.and_then(|port| port.parse().ok()).expect("the configuration names a request");
    let (running, _) = Running::start(command, scratch, || get(port, "ready", "/"))?;
    Ok(running)
}
