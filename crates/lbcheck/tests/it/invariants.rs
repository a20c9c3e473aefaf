//! What holds for every input.

use lbcheck::dialect::Dialect;
use lbcheck::source::Sources;
use proptest::prelude::*;

use crate::support;

/// Every example of the repository, by dialect.
pub(crate) fn examples() -> Vec<(Dialect, std::path::PathBuf)> {
    let mut found = Vec::new();
    let mut waiting = vec![support::root().join("examples")];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            let dialect = match path.extension().and_then(|extension| extension.to_str()) {
                Some("cfg") => Dialect::HaProxy,
                Some("conf") => Dialect::Nginx,
                Some("yaml" | "json") => Dialect::Envoy,
                _ => continue,
            };
            found.push((dialect, path));
        }
    }
    found.sort();
    found
}

#[test]
fn a_file_compared_with_itself_shows_nothing() {
    let examples = examples();
    assert!(examples.len() >= 33, "{} examples", examples.len());
    for (dialect, path) in examples {
        let text = std::fs::read(&path).unwrap();
        let mut sources = Sources::new();
        let old = support::reading(dialect, &text, &mut sources);
        let new = support::reading(dialect, &text, &mut sources);
        let report = support::diff(&sources, &old, &new);
        assert!(report.changes.is_empty(), "{}: {:?}", path.display(), report.changes);
        assert!(report.pools.is_empty() && report.routes.is_empty(), "{}", path.display());
        assert_eq!(report.introduced().count(), 0, "{}", path.display());
    }
}

#[test]
fn the_examples_of_good_practice_are_clean() {
    for (dialect, path) in examples() {
        if path.parent() != Some(&support::root().join("examples")) {
            continue;
        }
        let mut sources = Sources::new();
        let reading = support::reading(dialect, &std::fs::read(&path).unwrap(), &mut sources);
        let report = support::check(&sources, &reading);
        assert_eq!(support::lines(&sources, &report), Vec::<String>::new(), "{}", path.display());
    }
}

#[test]
fn shares_sum_to_one() {
    for (dialect, path) in examples() {
        let mut sources = Sources::new();
        let reading = support::reading(dialect, &std::fs::read(&path).unwrap(), &mut sources);
        for pool in &reading.config.pools {
            let shares = lbcheck::traffic::pool_shares(dialect, pool);
            let sum: f64 = shares.shares.iter().sum();
            if !pool.endpoints.iter().any(|endpoint| endpoint.in_rotation()) {
                continue;
            }
            assert!(!shares.is_known() || (sum - 1.0).abs() < 1e-9, "{}: {sum}", path.display());
        }
    }
}

/// A valid configuration with `weights` for its servers, in each dialect.
fn weighted(dialect: Dialect, weights: &[u32]) -> String {
    let mut text = String::new();
    match dialect {
        Dialect::HaProxy => {
            text += "defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n";
            text += "frontend f\n bind :80\n default_backend b\nbackend b\n balance roundrobin\n";
            for (index, weight) in weights.iter().enumerate() {
                text += &format!(" server s{index} 10.0.0.{index}:80 check weight {}\n", weight.min(&256));
            }
        }
        Dialect::Nginx => {
            text += "events {}\nhttp { upstream b {\n";
            for (index, weight) in weights.iter().enumerate() {
                text += &format!(" server 10.0.0.{index}:80 weight={};\n", weight.max(&1));
            }
            text += "}\nserver { listen 80; location / { proxy_pass http://b; } } }\n";
        }
        Dialect::Envoy => {
            text += "static_resources:\n  clusters:\n  - name: b\n    load_assignment:\n      cluster_name: b\n      endpoints:\n      - lb_endpoints:\n";
            for (index, weight) in weights.iter().enumerate() {
                text += &format!(
                    "        - {{load_balancing_weight: {}, endpoint: {{address: {{socket_address: {{address: 10.0.0.{index}, port_value: 80}}}}}}}}\n",
                    weight.max(&1)
                );
            }
        }
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_weights_give_shares_that_sum_to_one(weights in prop::collection::vec(0u32..=300, 1..40)) {
        for dialect in Dialect::ALL {
            let mut sources = Sources::new();
            let text = weighted(dialect, &weights);
            let reading = support::reading(dialect, text.as_bytes(), &mut sources);
            prop_assert_eq!(reading.config.pools.len(), 1);
            let shares = lbcheck::traffic::pool_shares(dialect, &reading.config.pools[0]);
            let sum: f64 = shares.shares.iter().sum();
            let nobody = dialect == Dialect::HaProxy && weights.iter().all(|weight| *weight == 0);
            prop_assert!((sum - if nobody { 0.0 } else { 1.0 }).abs() < 1e-9, "{dialect}: {sum}");
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for dialect in Dialect::ALL {
            let mut sources = Sources::new();
            let reading = support::reading(dialect, &bytes, &mut sources);
            let _ = support::check(&sources, &reading);
        }
    }

    #[test]
    fn no_cut_or_damaged_example_makes_it_panic(cut in 0.0f64..1.0, at in 0.0f64..1.0, byte in any::<u8>(), pick in any::<prop::sample::Index>()) {
        let examples = examples();
        let (dialect, path) = pick.get(&examples);
        let mut text = std::fs::read(path).unwrap();
        text.truncate((text.len() as f64 * cut) as usize);
        let place = (text.len() as f64 * at) as usize;
        if let Some(target) = text.get_mut(place) {
            *target = byte;
        }
        let mut sources = Sources::new();
        let reading = support::reading(*dialect, &text, &mut sources);
        let _ = support::check(&sources, &reading);
        let again = support::reading(*dialect, &text, &mut sources);
        let report = support::diff(&sources, &reading, &again);
        prop_assert!(report.changes.is_empty(), "{:?}", report.changes);
    }
}
