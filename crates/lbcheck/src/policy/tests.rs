use super::*;
use crate::diagnostic::RuleId;
use crate::source::Sources;

fn parse(text: &str) -> Result<Policy, Vec<String>> {
    let mut sources = Sources::new();
    let file = sources.add("lbcheck.toml", text.as_bytes().to_vec());
    Policy::parse(&sources, file).map_err(|mistakes| {
        mistakes
            .iter()
            .map(|mistake| format!("{}: {}", sources.position(mistake.primary.span), mistake.message))
            .collect()
    })
}

#[test]
fn the_most_specific_glob_names_the_environment() {
    let policy = parse(
        r#"
        default-environment = "staging"
        [environments.production]
        paths = ["deploy/**"]
        [environments.staging]
        paths = ["deploy/staging/**"]
        inherit = "production"
        "#,
    )
    .unwrap();
    let name = |path| policy.environment(None, path).unwrap().name;
    assert_eq!(name("deploy/haproxy.cfg"), "production");
    assert_eq!(name("deploy/staging/haproxy.cfg"), "staging");
    assert_eq!(name("elsewhere.cfg"), "staging");
    assert!(!policy.environment(None, "elsewhere.cfg").unwrap().production);
}

#[test]
fn equal_claims_on_a_path_are_refused() {
    let policy = parse("[environments.aa]\npaths=['x/*.cfg']\n[environments.bb]\npaths=['x/*.cfg']").unwrap();
    let error = policy.environment(None, "x/y.cfg").unwrap_err();
    assert!(matches!(error, EnvironmentError::Ambiguous { .. }), "{error}");
}

#[test]
fn settings_are_inherited_and_overridden() {
    let policy = parse(
        r#"
        [limits]
        max-share = 0.4
        [severity]
        pool-single-server = "warning"
        [environments.production]
        fail-on = "warning"
        limits.max-weight-ratio = 3
        algorithms.allow = ["round_robin"]
        [environments.staging]
        inherit = "production"
        severity = { pool-single-server = "off" }
        "#,
    )
    .unwrap();
    let staging = policy.environment(Some("staging"), "x").unwrap();
    assert_eq!(staging.fail_on, Some(Severity::Warning));
    assert_eq!(staging.allowed_algorithms, ["round_robin"]);
    assert_eq!(staging.limits.max_share, Some(0.4));
    assert_eq!(staging.limits.max_weight_ratio, Some(3.0));
    assert_eq!(staging.severity[&RuleId::PoolSingleServer], Level::Off);
    assert!(!staging.production);
}

#[test]
fn mistakes_are_all_reported_at_their_place() {
    let mistakes = parse(
        "schema = 2\ndefault-environment = \"prodction\"\n[severity]\npool-emty = \"error\"\n[limits]\nmax-share = 40\n[proxy.nginx]\nversion = \"new\"\n",
    )
    .unwrap_err();
    assert_eq!(
        mistakes,
        [
            "1:10: this lbcheck reads schema 1, not 2",
            "2:23: there is no environment `prodction`",
            "8:11: `new` is not a version: write it as 3.2 or 1.27.3",
            "6:13: 40 is out of range: this limit is from 0 to 1",
            "4:1: there is no rule `pool-emty`",
        ]
    );
}

#[test]
fn the_first_pool_that_matches_counts() {
    let text =
        "[[pools]]\nmatch = 'api-*'\npeak-concurrency = 800\n[[pools]]\nmatch = '*'\npeak-concurrency = 5\n";
    let environment = parse(text).unwrap().environment(None, "x").unwrap();
    assert_eq!(environment.peak_concurrency("api-v1"), Some(800));
    assert_eq!(environment.peak_concurrency("web"), Some(5));
    let mistakes = parse("[[pools]]\nmatch = '['\npeak-concurrency = 0\n").unwrap_err();
    assert_eq!(mistakes.len(), 2, "{mistakes:?}");
}

#[test]
fn unknown_keys_are_errors() {
    let mistakes = parse("[limits]\nmax-shares = 0.4\n").unwrap_err();
    assert!(mistakes[0].starts_with("2:1: unknown field `max-shares`"), "{mistakes:?}");
}

#[test]
fn inherit_loops_are_refused() {
    let mistakes = parse("[environments.a]\ninherit = 'b'\n[environments.b]\ninherit = 'a'\n").unwrap_err();
    assert_eq!(mistakes.len(), 2, "{mistakes:?}");
}

#[test]
fn an_unknown_environment_is_refused_once_there_are_some() {
    assert!(!Policy::default().environment(Some("staging"), "x").unwrap().production);
    assert!(Policy::default().environment(Some("prod"), "x").unwrap().production);
    let error = Policy::default().environment(Some("prodution"), "x").unwrap_err();
    assert_eq!(
        error.to_string(),
        "no policy defines the environment `prodution`; did you mean `production`?"
    );
    let policy = parse("[environments.staging]\n").unwrap();
    let error = policy.environment(Some("stagin"), "x").unwrap_err();
    assert_eq!(error.to_string(), "no policy defines the environment `stagin`; did you mean `staging`?");
}

#[test]
fn the_edition_of_nginx_is_named_or_unknown() {
    assert_eq!(parse("").unwrap().edition(), Edition::Unknown);
    assert_eq!(parse("[proxy.nginx]\nedition = 'plus'").unwrap().edition(), Edition::Plus);
    assert_eq!(parse("[proxy.nginx]\nedition = 'oss'").unwrap().edition(), Edition::OpenSource);
    assert!(parse("[proxy.nginx]\nedition = 'r33'").is_err());
    assert!(parse("[proxy.haproxy]\nedition = 'oss'").is_err());
}

#[test]
fn an_ignore_needs_a_rule_a_place_and_a_reason() {
    let good = "[[ignore]]\nrule = \"pool-empty\"\nwhere = { pool = \"legacy*\" }\nreason = \"no servers yet\"\nowner = \"team\"\nticket = \"T-1\"\nexpires = 2027-01-31\n";
    let policy = parse(good).unwrap();
    let environment = policy.environment(None, "x").unwrap();
    let [ignore] = environment.ignores.as_slice() else { panic!("one") };
    assert_eq!((ignore.rule.as_str(), ignore.reason.as_str()), ("pool-empty", "no servers yet (team, T-1)"));
    assert_eq!(ignore.expires, "2027-01-31".parse().ok());
    for (from, to, expected) in [
        ("pool-empty", "pool-emty", "2:8: there is no rule `pool-emty`"),
        ("{ pool = \"legacy*\" }", "{}", "3:9: `where` names no place"),
        (
            "\"legacy*\"",
            "\"a{\"",
            "3:18: not a glob: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)",
        ),
        ("no servers yet", " ", "4:10: an `[[ignore]]` needs a reason, and this one is empty"),
        (
            "2027-01-31",
            "2027-01-31T10:00:00",
            "7:11: `2027-01-31T10:00:00` is not a day: write it as 2027-01-31",
        ),
    ] {
        assert_eq!(parse(&good.replace(from, to)).unwrap_err(), [expected]);
    }
    assert!(parse(&good.replace("owner", "ownr")).unwrap_err()[0].starts_with("5:1: unknown field `ownr`"));
    assert!(
        parse(&good.replace("reason = \"no servers yet\"\n", "")).unwrap_err()[0]
            .contains("missing field `reason`")
    );
}

#[test]
fn variables_of_haproxy() {
    let policy = parse("[proxy.haproxy]\nversion = \"3.2\"\nenv-vars = { ADDRESS = \"10.0.0.1\" }").unwrap();
    assert_eq!(policy.variables().get("ADDRESS").map(String::as_str), Some("10.0.0.1"));
    assert!(parse("[proxy.envoy]\nenv-vars = { A = \"1\" }").is_err());
}
