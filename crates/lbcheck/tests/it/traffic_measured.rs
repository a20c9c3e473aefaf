//! Placements that running proxies were seen to make, compared key by key. See `tests/traffic/README.md`.

use std::path::{Path, PathBuf};

use lbcheck::dialect::Dialect;
use lbcheck::load::MemoryLoader;
use lbcheck::model::{Config, Endpoint, PoolId};
use lbcheck::read::{ReadOptions, read};
use lbcheck::source::Sources;
use lbcheck::traffic::{Load, Pick, Placement, keys_moved, placed_shares, pool_shares, sequence};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traffic")
}

fn config(name: &str) -> Config {
    let (dialect, extension) = match name.split('-').next().unwrap_or_default() {
        "envoy" => (Dialect::Envoy, "yaml"),
        "nginx" => (Dialect::Nginx, "conf"),
        _ => (Dialect::HaProxy, "cfg"),
    };
    let text = std::fs::read(folder().join(format!("{name}.{extension}"))).unwrap();
    let options = match name.split('-').next().unwrap_or_default() {
        "haproxy26" => options_of("2.6.12"),
        "haproxy32" => options_of("3.2.26"),
        _ => ReadOptions::new(dialect),
    };
    read_as(&text, &options)
}

/// What makes a reader take its input for that of a HAProxy version.
fn options_of(version: &str) -> ReadOptions {
    let mut options = ReadOptions::new(Dialect::HaProxy);
    options.version = version.parse().unwrap();
    options
}

fn read_as(text: &[u8], options: &ReadOptions) -> Config {
    let mut sources = Sources::default();
    read(&MemoryLoader::one("config", text), &mut sources, &["config".to_owned()], options).config
}

/// The pool with the servers; the measured configurations have one.
fn pool(config: &Config) -> PoolId {
    config.pools().max_by_key(|(_, pool)| pool.endpoints.len()).map(|(id, _)| id).unwrap()
}

/// Names of all measurements of one kind.
fn measurements(kind: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(kind).map(str::to_owned))
        .collect();
    names.sort();
    names
}

/// Whether `endpoint` is who answered, by name or by port.
fn is(endpoint: &Endpoint, server: &str) -> bool {
    let port = endpoint.address.port.map(|port| port.to_string()).unwrap_or_default();
    // The servers behind the nginx runs call themselves s1, s2 …, on ports 29001, 29002 …
    let numbered = server.strip_prefix('s').is_some_and(|number| port == format!("2900{number}"));
    endpoint.name.value == server || numbered || server.rsplit_once(':').is_some_and(|(_, of)| of == port)
}

#[test]
fn every_key_goes_where_the_proxy_sent_it() {
    let names = measurements(".keys.tsv");
    assert!(names.len() >= 35, "{}", names.len());
    let mut wrong = Vec::new();
    let (mut keys, mut open) = (0, 0);
    for name in names {
        let config = config(&name);
        let id = pool(&config);
        let placement = Placement::new(&config, id).unwrap_or_else(|reason| panic!("{name}: {reason}"));
        let measured = std::fs::read_to_string(folder().join(format!("{name}.keys.tsv"))).unwrap();
        for line in measured.lines() {
            let (key, server) = line.split_once('\t').unwrap();
            keys += 1;
            let pick = placement.pick(key.as_bytes());
            let right = match &pick {
                Pick::Endpoint(index) => is(&config.pool(id).endpoints[*index], server),
                Pick::Nobody => false,
                // Where 20 points in a row belong to a server that is down, nginx does not go by the key either.
                Pick::Unknown(_) => {
                    open += 1;
                    name == "nginx-ketama-heavy-down"
                }
            };
            if !right {
                wrong.push(format!("{name}: {key} went to {server}, predicted {pick:?}"));
            }
        }
    }
    eprintln!("{keys} keys compared, of which {open} are left to round robin");
    assert!(wrong.is_empty(), "{} of {keys} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_sequence_is_the_proxys() {
    let mut wrong = Vec::new();
    for name in measurements(".sequence.tsv") {
        let config = config(&name);
        let id = pool(&config);
        let measured = std::fs::read_to_string(folder().join(format!("{name}.sequence.tsv"))).unwrap();
        let Some(picks) = sequence(&config, id, measured.lines().count()) else {
            wrong.push(format!("{name}: no sequence"));
            continue;
        };
        let endpoints = &config.pool(id).endpoints;
        let off = measured.lines().zip(&picks).filter(|(server, index)| !is(&endpoints[**index], server));
        let off = off.count();
        if off > 0 {
            wrong.push(format!("{name}: {off} picks differ"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn as_many_keys_move_as_were_seen_to() {
    // Of 2000 keys each.
    let measured = [
        ("envoy-maglev-10", "envoy-maglev-10-less4", 0.118),
        ("envoy-maglev-10", "envoy-maglev-10-plus", 0.0925),
        ("envoy-ring-10-x10", "envoy-ring-10-plus", 0.1555),
        ("envoy-ring-10-x10", "envoy-ring-10-rev", 0.0),
    ];
    for (old, new, share) in measured {
        let (before, after) = (config(old), config(new));
        let moved =
            keys_moved((&before, pool(&before)), (&after, pool(&after)), |a, b| a.address == b.address);
        let moved = moved.unwrap();
        // The 99 % interval of a share found with 2,000 keys, set against one found with 20,000.
        let interval = 2.576_f64 * f64::sqrt(share * (1.0 - share) * (1.0 / 2_000.0 + 1.0 / 20_000.0));
        assert!((moved - share).abs() <= interval, "{old} to {new}: {moved} instead of {share}");
    }
}

fn haproxy(version: &str, balance: &str, weights: &[u32]) -> Config {
    let mut text = format!("backend b\n  mode http\n  {balance}\n");
    for (at, weight) in weights.iter().enumerate() {
        text.push_str(&format!("  server s{at} 10.0.0.{}:80 weight {weight}\n", at + 1));
    }
    read_as(text.as_bytes(), &options_of(version))
}

fn close(config: &Config, load: Load, expected: &[f64]) {
    let shares = placed_shares(config, pool(config), load).shares;
    for (share, expected) in shares.iter().zip(expected) {
        assert!((share - expected).abs() < 0.0001, "{shares:?} instead of {expected:?}");
    }
}

#[test]
fn placement_is_uneven_where_weights_are_not() {
    for (weights, arcs) in [
        ([1, 1, 1], [0.3509, 0.2951, 0.3540]),
        ([3, 2, 1], [0.5497, 0.3328, 0.1174]),
        ([5, 1, 1], [0.7009, 0.1544, 0.1447]),
        ([1, 1, 100], [0.0131, 0.0081, 0.9788]),
    ] {
        let ring = haproxy("3.4", "balance uri\n  hash-type consistent", &weights);
        close(&ring, Load::Idle, &arcs);
        // Of two idle servers 3.2 takes the one that was drawn last, and 3.4 the one with fewer requests so far. One
        // draw is what 3.4 makes where no algorithm is named.
        close(&haproxy("3.2", "balance random", &weights), Load::Idle, &arcs);
        close(&haproxy("3.4", "balance random(1)", &weights), Load::Idle, &arcs);
        close(&haproxy("3.4", "", &weights), Load::Idle, &arcs);
        close(&haproxy("3.4", "balance", &weights), Load::Idle, &arcs);
        // Rules judge by weights, which nobody wrote unevenly.
        let total: u32 = weights.iter().sum();
        let asked = pool_shares(Dialect::HaProxy, ring.pool(pool(&ring)));
        assert!((asked.shares[0] - f64::from(weights[0]) / f64::from(total)).abs() < 1e-9);
    }
    close(&haproxy("3.2", "", &[3, 2, 1]), Load::Idle, &[1.0 / 2.0, 1.0 / 3.0, 1.0 / 6.0]);
    close(&haproxy("3.2", "balance", &[3, 2, 1]), Load::Idle, &[1.0 / 2.0, 1.0 / 3.0, 1.0 / 6.0]);
    close(&haproxy("3.4", "balance random", &[1, 1, 1]), Load::Idle, &[1.0 / 3.0; 3]);
}

#[test]
fn leastconn_ignores_weights_until_it_is_busy() {
    let config = haproxy("3.4", "balance leastconn", &[1, 1, 100]);
    close(&config, Load::Idle, &[1.0 / 3.0; 3]);
    close(&config, Load::Concurrent(30), &[1.0 / 30.0, 1.0 / 30.0, 28.0 / 30.0]);
}

/// Sizes of rings as a running Envoy 1.40 counts them (`ring_hash_lb.size`).
#[test]
fn rings_of_envoy_have_the_size_that_it_counts() {
    let measured: [(&[u32], u32, Option<u32>, usize); 8] = [
        (&[1, 1, 1], 4, None, 6),
        (&[1, 1, 1], 1, None, 3),
        (&[3, 2, 1], 10, None, 12),
        (&[1; 7], 10, None, 14),
        (&[5, 1, 1], 3, None, 7),
        (&[1, 1, 100], 1024, None, 1122),
        (&[1; 50], 1024, None, 1050),
        (&[2, 3], 5, Some(7), 5),
    ];
    for (weights, min, max, entries) in measured {
        let max = max.map_or(String::new(), |max| format!(", maximum_ring_size: {max}"));
        let endpoints: Vec<String> = weights
            .iter()
            .enumerate()
            .map(|(index, weight)| {
                let port = 21_001 + index;
                format!("{{load_balancing_weight: {weight}, endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}}}")
            })
            .collect();
        let text = format!(
            "static_resources: {{clusters: [{{name: a, type: STATIC, lb_policy: RING_HASH, ring_hash_lb_config: {{minimum_ring_size: {min}{max}}}, load_assignment: {{cluster_name: a, endpoints: [{{lb_endpoints: [{}]}}]}}}}]}}\n",
            endpoints.join(", ")
        );
        let mut sources = Sources::new();
        let reading = crate::support::reading(Dialect::Envoy, text.as_bytes(), &mut sources);
        let placement = Placement::new(&reading.config, PoolId(0)).expect("a ring");
        assert_eq!(placement.entries(), Some(entries), "{weights:?} {min}");
    }
}

#[test]
fn nginx_hashes_the_bytes_of_binary_remote_addr() {
    // Address, server under `hash`, server under `hash … consistent`, as nginx 1.22 placed them.
    let measured = [
        ("10.0.0.1", 1, 2),
        ("10.0.0.2", 2, 1),
        ("192.168.7.9", 2, 1),
        ("8.8.8.8", 3, 2),
        ("127.0.0.6", 2, 1),
        ("203.0.113.77", 1, 1),
        ("1.2.3.4", 1, 2),
        ("2001:db8::1", 1, 2),
        ("2001:db8::2", 3, 1),
        ("::1", 1, 1),
        ("fe80::1", 1, 1),
    ];
    let config = |key: &str| {
        let text = format!(
            "events {{}} http {{ upstream u {{ hash {key}; server 127.0.0.1:18481 weight=3;
            server 127.0.0.1:18482 weight=2; server 127.0.0.1:18483; }}
            server {{ location / {{ proxy_pass http://u; }} }} }}"
        );
        let loader = MemoryLoader::one("nginx.conf", text.as_bytes());
        let mut sources = Sources::new();
        let options = ReadOptions::new(Dialect::Nginx);
        read(&loader, &mut sources, &["nginx.conf".to_owned()], &options).config
    };
    let pool = PoolId(0);
    let pick = |config: &Config, key: &str| lbcheck::traffic::pick(config, pool, key.as_bytes());
    let (hash, ring) = (config("$binary_remote_addr"), config("${binary_remote_addr} consistent"));
    for (address, plain, consistent) in measured {
        assert_eq!(pick(&hash, address), Pick::Endpoint(plain - 1), "{address}");
        assert_eq!(pick(&ring, address), Pick::Endpoint(consistent - 1), "{address}");
    }
    let said = lbcheck::traffic::hashed_text(&hash, pool);
    assert_eq!(said.as_deref(), Some("the client's address"));
    assert!(matches!(pick(&hash, "alice"), Pick::Unknown(_)));
    let longer = config("$binary_remote_addr$uri");
    assert!(matches!(pick(&longer, "10.0.0.1"), Pick::Unknown(_)));
}
