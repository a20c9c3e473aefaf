//! The JSON Schemas in `schemas/` are made from the types, and every output satisfies them.

use std::fs;
use std::path::PathBuf;

use lbcheck::load::MemoryLoader;
use lbcheck::policy::PolicyFile;
use lbcheck::read::{ReadOptions, read};
use lbcheck::traffic::scenario::Capacity;
use lbcheck::traffic::{Failing, Pick, Question, survey};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use super::*;
use crate::{Format, PlacedKey, TrafficReport, View, wire};

fn schema<T: JsonSchema>(title: &str) -> Value {
    let mut schema: Schema =
        SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema.to_value()
}

/// What is typed by people is described as it is read, not as it would be written.
fn policy_schema() -> Value {
    let mut schema: Schema =
        SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<PolicyFile>();
    schema.insert("title".to_owned(), "lbcheck.toml".into());
    schema.to_value()
}

fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("lbcheck.diff.v1.schema.json", schema::<wire::Diff>("lbcheck.diff/v1")),
        ("lbcheck.model.v1.schema.json", schema::<wire::Model>("lbcheck.model/v1")),
        ("lbcheck.report.v1.schema.json", schema::<wire::Report>("lbcheck.report/v1")),
        ("lbcheck.route.v1.schema.json", schema::<wire::RouteAnswer>("lbcheck.route/v1")),
        ("lbcheck.rules.v1.schema.json", schema::<wire::Rules>("lbcheck.rules/v1")),
        ("lbcheck.traffic.v1.schema.json", schema::<wire::Traffic>("lbcheck.traffic/v1")),
        ("lbcheck.toml.schema.json", policy_schema()),
    ]
}

#[test]
fn schemas_are_fresh() {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let update = std::env::var_os("UPDATE_SCHEMAS").is_some();
    for (name, schema) in all() {
        let path = directory.join(name);
        let mut fresh = serde_json::to_string_pretty(&schema).unwrap();
        fresh.push('\n');
        if update {
            fs::create_dir_all(&directory).unwrap();
            fs::write(&path, &fresh).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == fresh,
            "schemas/{name} does not match the types: run `UPDATE_SCHEMAS=1 cargo test -p lbcheck-report schemas` and commit it"
        );
    }
}

/// Fails with every violation and where it is.
fn assert_valid(name: &str, output: &str) {
    let (_, schema) = all().into_iter().find(|(file, _)| file.starts_with(name)).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let output: Value = serde_json::from_str(output).unwrap();
    let violations: Vec<String> =
        validator.iter_errors(&output).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn outputs_satisfy_their_schemas() {
    let (sources, report) = checked();
    let view = View::new(&sources);
    assert_valid("lbcheck.report.", &crate::check(Format::Json, &view, &[report], PLAIN));
    assert_valid("lbcheck.report.", &crate::check(Format::Json, &view, &[], PLAIN));
    let (sources, report) = compared();
    assert_valid("lbcheck.diff.", &crate::diff(Format::Json, &View::new(&sources), &report, PLAIN));
    assert_valid("lbcheck.rules.", &crate::rules());
}

#[test]
fn models_of_every_dialect_satisfy_their_schema() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let examples =
        [("haproxy.cfg", Dialect::HaProxy), ("nginx.conf", Dialect::Nginx), ("envoy.yaml", Dialect::Envoy)];
    for (name, dialect) in examples {
        let loader = MemoryLoader::one(name, fs::read(root.join(name)).unwrap());
        let mut sources = Sources::new();
        let reading = read(&loader, &mut sources, &[name.to_owned()], &ReadOptions::new(dialect));
        let output = crate::model(&View::new(&sources), &[(&input(name), &reading.config)]);
        assert_valid("lbcheck.model.", &output);
    }
}

/// The traffic of `text`, in a format.
fn traffic(dialect: Dialect, text: &[u8], question: &Question, format: Format, width: usize) -> String {
    let loader = MemoryLoader::one("config", text.to_vec());
    let mut sources = Sources::new();
    let reading = read(&loader, &mut sources, &["config".to_owned()], &ReadOptions::new(dialect));
    let survey = survey(&reading.config, question).unwrap();
    let unknown = Pick::Unknown("no \u{1b}[31m way".into());
    let key = |key: &str, to, before| PlacedKey { key: key.to_owned(), to, before };
    let keys = [
        key("a", Pick::Endpoint(0), None),
        key("b", unknown.clone(), Some(Pick::Endpoint(0))),
        key("c", Pick::Nobody, Some(unknown)),
    ];
    let input = input("config");
    let report = TrafficReport { input: &input, question, survey: &survey, keys: Some(&keys) };
    crate::traffic(format, &View::new(&sources), report, Style { colour: false, width })
}

#[test]
fn traffic_of_every_dialect_satisfies_its_schema_and_fits_the_terminal() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let examples =
        [("haproxy.cfg", Dialect::HaProxy), ("nginx.conf", Dialect::Nginx), ("envoy.yaml", Dialect::Envoy)];
    let asked = Question {
        fail: Failing::WorstOne,
        load: 2.0,
        concurrency: Some(30),
        rate: Some(100.0),
        capacity: Some(Capacity::Multiple(1.2)),
        clients: Some(100),
        ..Question::default()
    };
    for (name, dialect) in examples {
        let text = fs::read(root.join(name)).unwrap();
        for question in [&asked, &Question::default()] {
            assert_valid("lbcheck.traffic.", &traffic(dialect, &text, question, Format::Json, 100));
            for width in [40, 100, 200] {
                let output = traffic(dialect, &text, question, Format::Text, width);
                let bars = output.lines().filter(|line| line.contains('█'));
                let widest = bars.map(|line| line.chars().count()).max().unwrap_or(0);
                assert!(widest <= width, "{widest} of {width}: {output}");
            }
        }
    }
}

#[test]
fn traffic_shows_no_secrets_and_controls_no_terminal() {
    let text = "defaults\n mode http\nfrontend f\n bind :80\n use_backend a if { hdr(x-api-key) -m str hunter2 }\n use_backend a if { hdr(authorization) -m beg \"Bearer hunter2\" }\n use_backend a if { urlp(token) -m str hunter2 }\n use_backend a if { req.cook(session) -m str hunter2 }\n use_backend a if { path_beg /\u{1b}[2J }\n default_backend a\nbackend a\n server s 10.0.0.1:80\n";
    for format in [Format::Json, Format::Text] {
        let output = traffic(Dialect::HaProxy, text.as_bytes(), &Question::default(), format, 100);
        assert!(!output.contains("hunter2"), "{output}");
        assert!(output.chars().all(|letter| letter == '\n' || !letter.is_control()), "{output:?}");
    }
}

#[test]
fn a_schema_refuses_what_is_not_the_format() {
    let (_, schema) = all().into_iter().find(|(file, _)| file.starts_with("lbcheck.report.")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let (sources, report) = checked();
    let output = crate::check(Format::Json, &View::new(&sources), &[report], PLAIN);
    for (right, wrong) in
        [("lbcheck.report/v1", "lbcheck.report/v2"), ("\"severity\": \"error\"", "\"severity\": \"fatal\"")]
    {
        let broken: Value = serde_json::from_str(&output.replace(right, wrong)).unwrap();
        assert!(!validator.is_valid(&broken), "{wrong}");
    }
}

#[test]
fn the_policy_schema_agrees_with_the_reader() {
    let validator = jsonschema::validator_for(&policy_schema()).unwrap();
    let good = serde_json::json!({
        "schema": 1,
        "proxy": { "haproxy": { "version": "3.2" } },
        "environments": { "production": { "paths": ["deploy/**"], "fail-on": "warning" } },
        "limits": { "max-share": 0.4, "diff": { "max-weight-step": 3 } },
        "severity": { "pool-empty": "off" },
    });
    assert!(validator.is_valid(&good));
    for bad in [
        serde_json::json!({ "limit": {} }),
        serde_json::json!({ "limits": { "max-share": 2 } }),
        serde_json::json!({ "severity": { "pool-empty": "fatal" } }),
        serde_json::json!({ "environments": { "production": { "path": [] } } }),
    ] {
        assert!(!validator.is_valid(&bad), "{bad}");
    }
}
