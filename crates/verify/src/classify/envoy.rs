//! Envoy stops at the first mistake, and names a field more often than a line.

use super::{Outside, Place, Refusal, cause, says};

pub(super) fn refusals(said: &str, file: &str) -> Vec<Refusal> {
    let Some((_, rest)) = said.split_once("error initializing configuration '") else {
        return Vec::new();
    };
    let message = rest.split_once("': ").map_or(rest, |(_, message)| message);
    // Some of its messages go over several lines; the next one begins with its time.
    let end = message.find("\n[20").unwrap_or(message.len());
    let message = message.get(..end).unwrap_or(message);
    let message = message.split("\tthread=").next().unwrap_or(message);
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ").replace(file, "FILE");
    let message = essence(&message).to_owned();
    let short = message.rsplit_once("): ").map_or(message.as_str(), |(_, last)| last);
    let place = place(&message, file.ends_with(".json"));
    vec![Refusal { cause: cause(short), place, outside: outside(&message), message }]
}

/// The message without the messages it is about, which Envoy prints whole.
fn essence(message: &str) -> &str {
    let start =
        ["Proto constraint validation failed", "Using deprecated option", "Using the default now-deprecated"]
            .iter()
            .find_map(|mark| message.find(mark))
            .unwrap_or(0);
    let message = message.get(start..).unwrap_or(message);
    // `Unable to parse JSON as proto (…): {"static_resources": …`
    match message.split_once("): {") {
        Some((reason, _)) if message.starts_with("Unable to parse JSON") => {
            reason.split_once("INVALID_ARGUMENT: ").map_or(reason, |(_, reason)| reason)
        }
        _ => message,
    }
}

fn place(message: &str, json: bool) -> Place {
    let after = |marker: &str| message.split_once(marker).map(|(_, rest)| rest);
    let number = |rest: &str| rest.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok();
    if let Some(line) = after("error at line ").and_then(number) {
        return Place::Stopped(line);
    }
    // A YAML file is turned into JSON of one line before anything is near something.
    if json && let Some(line) = after("near ").and_then(number) {
        return Place::Stopped(line);
    }
    let until = |rest: &str, end: char| rest.split(end).next().unwrap_or_default().to_owned();
    let quoted = |marker: &str| after(marker).map(|rest| until(rest, '\''));
    let field = quoted("no such field: '")
        .or_else(|| message.rsplit_once("field: \"").map(|(_, rest)| until(rest, '"')))
        .or_else(|| quoted("with type URL: '").filter(|name| !name.is_empty()))
        .or_else(|| quoted("deprecated option '").map(|name| last_part(&name)))
        .or_else(|| quoted("for enum '").map(|name| last_part(&name)))
        .or_else(|| path(message))
        .or_else(|| {
            after("malformed IP address: ").map(|rest| until(rest, ' ').trim_end_matches('.').to_owned())
        })
        // What it advises is no place.
        .or_else(|| message.split("Consider ").next()?.split_once('\'').map(|(_, rest)| until(rest, '\'')));
    field.filter(|field| !field.is_empty()).map_or(Place::Changed, Place::Field)
}

/// The field at the end of the path in a complaint about JSON: `@ static_resources.clusters[0].name: string, near …`
fn path(message: &str) -> Option<String> {
    let (_, rest) = message.split_once(" @ ")?;
    let path = rest.split(':').next()?;
    let part = path.split('.').rfind(|part| !part.starts_with('<'))?;
    Some(part.split('[').next().unwrap_or(part).to_owned())
}

fn last_part(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).to_owned()
}

fn outside(message: &str) -> Option<Outside> {
    const FILES: [&str; 12] = [
        "file system path",
        "No such file",
        "unable to read file",
        "Invalid path:",
        "must refer to an existing path",
        "unable to add filesystem watch",
        "cannot open",
        "no file '",
        "from path: ",
        "Failed to load dynamic module",
        "is not a regular file",
        "Is a directory",
    ];
    const MACHINE: [&str; 5] = [
        "Too many open files",
        "cgroup",
        "is not supported on this platform",
        "Operation not permitted",
        "io_uring",
    ];
    if says(message, &FILES) {
        return Some(Outside::File);
    }
    if says(message, &["cannot bind", "unable to bind"]) {
        return Some(Outside::Socket);
    }
    if says(message, &MACHINE) {
        return Some(Outside::Machine);
    }
    let named = ["could not find @type '", "with type URL: '", "cluster factory implementation for name: '"]
        .iter()
        .find_map(|marker| message.split_once(marker).map(|(_, rest)| rest));
    named
        .and_then(|rest| rest.split('\'').next())
        .filter(|name| of_another_build(name))
        .map(|_| Outside::Module)
}

/// Whether a type is one of Envoy's contrib extensions, one that this build leaves out, or one of somebody else's. A
/// misspelt type is none of these: it still looks like one of Envoy's.
fn of_another_build(name: &str) -> bool {
    // From api/contrib in Envoy's repository.
    const CONTRIB: [&str; 16] = [
        "client_ssl_auth",
        "cryptomb",
        "dynamo",
        "generic_proxy.codecs.kafka",
        "golang",
        "hyperscan",
        "istio_stats",
        "kafka_broker",
        "kafka_mesh",
        "mysql_proxy",
        "peer_metadata",
        "postgres_proxy",
        "rocketmq_proxy",
        "sip_proxy",
        "squash",
        "sxg",
    ];
    let name = name.rsplit('/').next().unwrap_or(name);
    if name.is_empty() {
        return false;
    }
    let foreign =
        !["envoy", ".extensions.", ".config."].iter().any(|part| name.contains(part)) && name.contains('.');
    foreign
        || name.contains(".v3alpha.")
        || name.contains(".pick_first.")
        || CONTRIB.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(message: &str) -> Refusal {
        let said = format!(
            "[2026-01-01 00:00:00.000][1][critical][main] [source/server/config_validation/server.cc:76] error initializing configuration '/x/envoy.yaml': {message}\n"
        );
        refusals(&said, "/x/envoy.yaml").remove(0)
    }

    #[test]
    fn places_and_causes() {
        let found = one("yaml-cpp: error at line 5, column 7: end of map not found");
        assert_eq!((found.place, found.outside), (Place::Stopped(5), None));
        let found = one(
            "Protobuf message (type envoy.config.bootstrap.v3.Bootstrap reason INVALID_ARGUMENT: invalid JSON in envoy.config.bootstrap.v3.Bootstrap\n  @ admin.address: message envoy.config.core.v3.Address, near 1:5246 (offset 5245): no such field: 'port_value') has unknown fields",
        );
        assert_eq!(found.place, Place::Field("port_value".into()));
        assert_eq!(found.cause, "no such field: '…') has unknown fields");
        let found = one(
            "goo.gle/debugonly a { b: \"x\" } : Proto constraint validation failed (field: \"domains\", reason: value must contain at least 1 item(s))",
        );
        assert_eq!(found.place, Place::Field("domains".into()));
        let found = one(
            "Unable to parse JSON as proto (INVALID_ARGUMENT: invalid JSON in envoy.config.bootstrap.v3.Bootstrap @ static_resources.clusters[0].name: string, near 1:42 (offset 41): unexpected character: '5'; expected '\"'): {\"static_resources\":{}}",
        );
        assert_eq!(found.place, Place::Field("name".into()));
        assert_eq!(one("route: unknown cluster 'c'").place, Place::Field("c".into()));
    }

    #[test]
    fn reasons_outside_the_file() {
        assert_eq!(one("Invalid path: certs/cacert.pem").outside, Some(Outside::File));
        let find = |name: &str| {
            one(&format!("Unable to parse JSON as proto (INVALID_ARGUMENT: could not find @type 'type.googleapis.com/{name}'): {{}}")).outside
        };
        assert_eq!(
            find("envoy.extensions.filters.network.kafka_broker.v3.KafkaBroker"),
            Some(Outside::Module)
        );
        assert_eq!(find("istio.workload.BootstrapExtension"), Some(Outside::Module));
        assert_eq!(find("enjoy.extensions.filters.http.router.v3.Router"), None);
        assert_eq!(one("Didn't find a registered implementation for 'x' with type URL: ''").outside, None);
    }
}
