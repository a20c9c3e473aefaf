//! From the text of `lbcheck.toml` to a [`Policy`], with every mistake at its place.

use std::collections::{BTreeMap, BTreeSet};

use globset::{GlobBuilder, GlobMatcher};
use toml::Spanned;

use super::{
    EditionName, EnvironmentRules, EnvironmentTable, FailOnName, IgnoreRule, IgnoreTable, Level, LevelName,
    Limits, LimitsTable, PRODUCTION, Policy, PolicyFile, PoolRules, PoolTable,
};
use crate::date::Date;
use crate::diagnostic::{Diagnostic, RuleId, Severity, suggest};
use crate::dialect::{ByDialect, Dialect, Edition, Version};
use crate::source::{FileId, Sources, Span};

/// The rule id of mistakes in a policy.
const INVALID_POLICY: RuleId = RuleId::InvalidPolicy;

impl Policy {
    /// Reads the policy in `file`.
    ///
    /// # Errors
    /// Every mistake, at its place: TOML that does not parse, unknown keys, rules, environments or algorithms,
    /// values out of range, loops of `inherit`.
    pub fn parse(sources: &Sources, file: FileId) -> Result<Self, Vec<Diagnostic>> {
        let mut reader = Reader { file, mistakes: Vec::new() };
        let parsed = match toml::from_str::<PolicyFile>(sources.file(file).text()) {
            Ok(parsed) => parsed,
            Err(error) => {
                reader.mistake(error.span().unwrap_or(0..0), plain(error.message()), None);
                return Err(reader.mistakes);
            }
        };
        let policy = reader.policy(&parsed);
        if reader.mistakes.is_empty() { Ok(policy) } else { Err(reader.mistakes) }
    }
}

/// serde's words for an unknown key, in one sentence.
fn plain(message: &str) -> String {
    message.lines().collect::<Vec<_>>().join("; ")
}

struct Reader {
    file: FileId,
    mistakes: Vec<Diagnostic>,
}

impl Reader {
    fn mistake(&mut self, at: std::ops::Range<usize>, message: impl Into<String>, help: Option<String>) {
        let span = Span::new(self.file, at.start, at.end);
        let mut diagnostic = Diagnostic::new(INVALID_POLICY, Severity::Error, span, message);
        diagnostic.help = help;
        self.mistakes.push(diagnostic);
    }

    fn policy(&mut self, parsed: &PolicyFile) -> Policy {
        if let Some(schema) = &parsed.schema
            && *schema.get_ref() != 1
        {
            self.mistake(
                schema.span(),
                format!("this lbcheck reads schema 1, not {}", schema.get_ref()),
                None,
            );
        }
        let names: Vec<&str> = parsed.environments.keys().map(|name| name.get_ref().as_str()).collect();
        let mut environments = BTreeMap::new();
        for (name, table) in &parsed.environments {
            let rules = self.environment(table, &names);
            environments.insert(name.get_ref().clone(), rules);
        }
        self.refuse_loops(parsed, &environments);
        let default_environment = parsed.default_environment.as_ref().map(|name| {
            self.environment_name(name, &names);
            name.get_ref().clone()
        });
        Policy {
            versions: self.versions(parsed),
            known_directives: self.known_directives(parsed),
            edition: match parsed.proxy.nginx.edition {
                Some(EditionName::Oss) => Edition::OpenSource,
                Some(EditionName::Plus) => Edition::Plus,
                None => Edition::Unknown,
            },
            default_environment,
            environments,
            limits: self.limits(&parsed.limits),
            severity: self.severities(&parsed.severity),
            pools: parsed.pools.iter().filter_map(|table| self.pool(table)).collect(),
            ignores: parsed.ignore.iter().filter_map(|table| self.ignore(table)).collect(),
            variables: parsed.proxy.haproxy.env_vars.clone(),
        }
    }

    fn ignore(&mut self, table: &Spanned<IgnoreTable>) -> Option<IgnoreRule> {
        let IgnoreTable { rule, place, reason, owner, ticket, expires } = table.get_ref();
        if reason.get_ref().trim().is_empty() {
            self.mistake(reason.span(), "an `[[ignore]]` needs a reason, and this one is empty", None);
        }
        let (file, pool) = (&place.get_ref().file, &place.get_ref().pool);
        if file.is_none() && pool.is_none() {
            let help =
                "name a `file`, a `pool` or both; a rule that never applies is `off` under `[severity]`";
            self.mistake(place.span(), "`where` names no place", Some(help.to_owned()));
        }
        let known = self.rule(rule);
        let file = file.as_ref().map(|glob| self.glob(glob, true));
        let pool = pool.as_ref().map(|glob| self.glob(glob, false));
        let expires = expires.as_ref().map(|day| self.date(day));
        let also: Vec<&str> = [owner, ticket].into_iter().flatten().map(String::as_str).collect();
        let also = if also.is_empty() { String::new() } else { format!(" ({})", also.join(", ")) };
        Some(IgnoreRule {
            rule: known?,
            reason: format!("{}{also}", reason.get_ref().trim()),
            // One that is not valid was reported, and nothing of the policy is used.
            expires: expires.flatten(),
            span: Span::new(self.file, rule.span().start, rule.span().end),
            file: file.flatten(),
            pool: pool.flatten(),
        })
    }

    fn date(&mut self, day: &Spanned<toml::value::Datetime>) -> Option<Date> {
        let written = day.get_ref();
        let date = match (written.date, written.time) {
            (Some(date), None) => date.to_string().parse().ok(),
            _ => None,
        };
        if date.is_none() {
            self.mistake(day.span(), format!("`{written}` is not a day: write it as 2027-01-31"), None);
        }
        date
    }

    fn glob(&mut self, text: &Spanned<String>, of_path: bool) -> Option<GlobMatcher> {
        let pattern = text.get_ref().trim_start_matches("./");
        match GlobBuilder::new(pattern).literal_separator(of_path).build() {
            Ok(glob) => Some(glob.compile_matcher()),
            Err(error) => {
                self.mistake(text.span(), format!("not a glob: {}", error.kind()), None);
                None
            }
        }
    }

    /// The rule of this id.
    fn rule(&mut self, id: &Spanned<String>) -> Option<RuleId> {
        let text = id.get_ref().as_str();
        let found = text.parse().ok();
        if found.is_none() {
            let near = suggest(text, RuleId::ALL.iter().map(|id| id.as_str()));
            self.mistake(
                id.span(),
                format!("there is no rule `{text}`"),
                near.map(|near| format!("did you mean `{near}`?")),
            );
        }
        found
    }

    fn pool(&mut self, table: &PoolTable) -> Option<PoolRules> {
        let peak_concurrency = table.peak_concurrency.as_ref().map(|peak| {
            if *peak.get_ref() == 0 {
                self.mistake(peak.span(), "0 is out of range: a peak is at least 1", None);
            }
            *peak.get_ref()
        });
        let matcher = self.glob(&table.name, false)?;
        Some(PoolRules { pattern: table.name.get_ref().clone(), matcher, peak_concurrency })
    }

    fn known_directives(&mut self, parsed: &PolicyFile) -> BTreeMap<Dialect, BTreeSet<String>> {
        let proxy = &parsed.proxy;
        let products = ByDialect {
            haproxy: &proxy.haproxy.known_directives,
            nginx: &proxy.nginx.known_directives,
            envoy: &proxy.envoy.known_directives,
        };
        let mut known: BTreeMap<Dialect, BTreeSet<String>> = BTreeMap::new();
        for (dialect, names) in products.each() {
            for name in names {
                let text = name.get_ref();
                if text.is_empty() || text.contains(char::is_whitespace) {
                    self.mistake(name.span(), format!("`{text}` is not the name of a directive"), None);
                } else {
                    known.entry(dialect).or_default().insert(text.clone());
                }
            }
        }
        known
    }

    fn versions(&mut self, parsed: &PolicyFile) -> BTreeMap<Dialect, Version> {
        let mut versions = BTreeMap::new();
        let proxy = &parsed.proxy;
        let products = ByDialect {
            haproxy: &proxy.haproxy.version,
            nginx: &proxy.nginx.version,
            envoy: &proxy.envoy.version,
        };
        for (dialect, version) in products.each() {
            let Some(text) = version else { continue };
            match text.get_ref().parse::<Version>() {
                Ok(version) => {
                    versions.insert(dialect, version);
                }
                Err(error) => self.mistake(text.span(), error.to_string(), None),
            }
        }
        versions
    }

    fn environment(&mut self, table: &EnvironmentTable, names: &[&str]) -> EnvironmentRules {
        let mut paths = Vec::new();
        for text in &table.paths {
            if let Some(glob) = self.glob(text, true) {
                let letters = text.get_ref().trim_start_matches("./").chars();
                paths.push((glob, letters.filter(|letter| !"*?[]{}".contains(*letter)).count()));
            }
        }
        if let Some(parent) = &table.inherit {
            self.environment_name(parent, names);
        }
        if let Some(allow) = &table.algorithms.allow {
            self.algorithm_names(allow);
        }
        EnvironmentRules {
            paths,
            production: table.production,
            inherit: table.inherit.as_ref().map(|name| name.get_ref().clone()),
            fail_on: table.fail_on.map(fail_on),
            allow: table
                .algorithms
                .allow
                .as_ref()
                .map(|names| names.iter().map(|name| name.get_ref().clone()).collect()),
            require_explicit: table.algorithms.require_explicit,
            limits: self.limits(&table.limits),
            severity: self.severities(&table.severity),
        }
    }

    fn environment_name(&mut self, name: &Spanned<String>, names: &[&str]) {
        let text = name.get_ref().as_str();
        if text == PRODUCTION || names.contains(&text) {
            return;
        }
        let near = suggest(text, names.iter().copied().chain([PRODUCTION]));
        self.mistake(
            name.span(),
            format!("there is no environment `{text}`"),
            near.map(|near| format!("did you mean `{near}`?")),
        );
    }

    fn algorithm_names(&mut self, names: &[Spanned<String>]) {
        for name in names {
            let text = name.get_ref().as_str();
            let third_party = text.starts_with("external(") && text.ends_with(')');
            if text == "*" || third_party || KNOWN_ALGORITHMS.contains(&text) {
                continue;
            }
            let near = suggest(text, KNOWN_ALGORITHMS.iter().copied());
            let help = near.map_or_else(
                || format!("use one of {}, or `*`", KNOWN_ALGORITHMS.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            self.mistake(name.span(), format!("there is no algorithm `{text}`"), Some(help));
        }
    }

    fn severities(&mut self, table: &BTreeMap<Spanned<String>, LevelName>) -> BTreeMap<RuleId, Level> {
        let mut severities = BTreeMap::new();
        for (rule, level) in table {
            if let Some(id) = self.rule(rule) {
                severities.insert(id, effective_level(*level));
            }
        }
        severities
    }

    fn limits(&mut self, table: &LimitsTable) -> Limits {
        Limits {
            max_share: self.number(table.max_share.as_ref(), 0.0, 1.0),
            min_effective_servers: self.number(table.min_effective_servers.as_ref(), 0.0, 1.0),
            max_weight_ratio: self.number(table.max_weight_ratio.as_ref(), 1.0, f64::MAX),
            max_share_moved: self.number(table.diff.max_share_moved.as_ref(), 0.0, 1.0),
            max_pool_shrink: self.number(table.diff.max_pool_shrink.as_ref(), 0.0, 1.0),
            max_weight_step: self.number(table.diff.max_weight_step.as_ref(), 1.0, f64::MAX),
        }
    }

    fn number(&mut self, written: Option<&Spanned<f64>>, least: f64, most: f64) -> Option<f64> {
        let written = written?;
        let value = *written.get_ref();
        if (least..=most).contains(&value) {
            return Some(value);
        }
        let range =
            if most == f64::MAX { format!("at least {least}") } else { format!("from {least} to {most}") };
        self.mistake(written.span(), format!("{value} is out of range: this limit is {range}"), None);
        None
    }

    /// Each environment's chain of `inherit` must end.
    fn refuse_loops(&mut self, parsed: &PolicyFile, environments: &BTreeMap<String, EnvironmentRules>) {
        for (name, table) in &parsed.environments {
            let Some(parent) = &table.inherit else { continue };
            let mut seen = 0;
            let mut next = Some(parent.get_ref());
            while let Some(at) = next {
                if at == name.get_ref() || seen > environments.len() {
                    self.mistake(
                        parent.span(),
                        format!("environment `{}` inherits from itself", name.get_ref()),
                        None,
                    );
                    break;
                }
                seen += 1;
                next = environments.get(at).and_then(|rules| rules.inherit.as_ref());
            }
        }
    }
}

/// Every policy name of an algorithm.
const KNOWN_ALGORITHMS: &[&str] = &[
    "round_robin",
    "static_rr",
    "least_conn",
    "least_time",
    "random_one",
    "random_two",
    "first",
    "consistent_hash",
    "modulo_hash",
    "source_hash",
    "constant_hash",
    "ring_hash",
    "maglev",
    "subset",
    "cluster_provided",
    "original_dst",
    "sticky_log",
];

fn effective_level(name: LevelName) -> Level {
    match name {
        LevelName::Off => Level::Off,
        LevelName::Info => Level::On(Severity::Info),
        LevelName::Warning => Level::On(Severity::Warning),
        LevelName::Error => Level::On(Severity::Error),
    }
}

fn fail_on(name: FailOnName) -> Option<Severity> {
    match name {
        FailOnName::Error => Some(Severity::Error),
        FailOnName::Warning => Some(Severity::Warning),
        FailOnName::Info => Some(Severity::Info),
        FailOnName::Never => None,
    }
}
