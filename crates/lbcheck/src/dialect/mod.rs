//! The three languages: one static description each, from which detection, words, templates, masking and the command
//! line take what differs between them. Product versions.

mod envoy;
mod haproxy;
mod nginx;

use std::fmt;
use std::str::FromStr;

/// A configuration language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Dialect {
    /// HAProxy's `haproxy.cfg`.
    HaProxy,
    /// nginx's `nginx.conf`.
    Nginx,
    /// Envoy's bootstrap, resource and `config_dump` files, YAML or JSON.
    Envoy,
}

impl Dialect {
    /// All three, in the order used everywhere.
    pub const ALL: [Self; 3] = [Self::HaProxy, Self::Nginx, Self::Envoy];

    /// What is known of it.
    #[must_use]
    pub fn description(self) -> &'static Description {
        match self {
            Self::HaProxy => &haproxy::DESCRIPTION,
            Self::Nginx => &nginx::DESCRIPTION,
            Self::Envoy => &envoy::DESCRIPTION,
        }
    }

    /// `haproxy`, `nginx` or `envoy`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.description().name
    }

    /// The product's name as its authors write it.
    #[must_use]
    pub fn product(self) -> &'static str {
        self.description().product
    }

    /// What users of the product call a pool.
    #[must_use]
    pub fn pool_noun(self) -> &'static str {
        self.description().nouns.pool
    }

    /// What users of the product call an endpoint.
    #[must_use]
    pub fn endpoint_noun(self) -> &'static str {
        self.description().nouns.endpoint
    }

    /// What users of the product call a listener.
    #[must_use]
    pub fn listener_noun(self) -> &'static str {
        self.description().nouns.listener
    }

    /// The version assumed when nobody names one.
    #[must_use]
    pub fn assumed_version(self) -> Version {
        self.description().assumed_version
    }
}

/// What is known of a language and of the program that reads it, as far as it holds for every configuration.
#[derive(Debug)]
#[non_exhaustive]
pub struct Description {
    /// The name of the dialect, in lower case.
    pub name: &'static str,
    /// The product's name as its authors write it.
    pub product: &'static str,
    /// What its users call things.
    pub nouns: Nouns,
    /// The version assumed when nobody names one.
    pub assumed_version: Version,

    /// What tells its files.
    pub files: Files,
    /// How its text is made up.
    pub form: Form,
    /// Begins a comment, up to the end of the line.
    pub comment: char,
    /// `${NAME}` is the language's own word for an environment variable, and no hole of a template.
    pub reads_environment: bool,
    /// What a time without a unit is.
    pub bare_times: BareTimes,

    /// Listeners and pools may come from a control plane while the program runs.
    pub has_control_plane: bool,
    /// The program refuses to start without a listener.
    pub needs_listener: bool,
    /// Pools of one name may stand side by side, one for HTTP and one for TCP.
    pub pools_by_mode: bool,
    /// Where a route names a pool it may name a host just as well.
    pub routes_name_hosts: bool,
    /// Paths are normalised and slashes merged before routes are compared, unless something says otherwise.
    pub normalizes_paths: bool,
    /// A single endpoint's name may be that of several machines, even where only one address of it is used at a time.
    pub names_are_services: bool,
    /// Those who write configurations give every endpoint a weight, the only one of a pool too.
    pub weights_everywhere: bool,
    /// What the tiers of a pool are.
    pub tiers: Tiers,
    /// How routes that take a part of all requests draw theirs.
    pub draws: Draws,
    /// A random choice is made on the hash ring, so that its size and order decide who gets how much.
    pub random_on_ring: bool,
    /// Least connections leaves weights aside while there is an idle endpoint, and not only bends them under load.
    pub idle_before_weight: bool,

    /// What algorithms are called.
    pub algorithms: Algorithms,
    /// What to do about what rules find, where that differs by language.
    pub advice: Advice,
}

/// What users of a product call things.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Nouns {
    /// A pool.
    pub pool: &'static str,
    /// An endpoint.
    pub endpoint: &'static str,
    /// A listener.
    pub listener: &'static str,
    /// One listener of the model, which may take several of the user's together.
    pub socket: &'static str,
}

/// What tells the files of a dialect from others.
#[derive(Debug)]
#[non_exhaustive]
pub struct Files {
    /// What the file that the program starts from is usually called.
    pub usual: &'static str,
    /// Parts of the stem and the extension, in lower case, by which a file's name tells the dialect.
    pub names: &'static [(&'static str, &'static str)],
    /// What is read of a directory: whole names, or `*.` and an extension.
    pub in_directory: &'static [&'static str],
    /// Other programs name their files alike: only those of a directory count whose content speaks for the dialect.
    pub told_by_content: bool,
    /// Other files given with one that the program starts from belong to it, and are no configuration of their own.
    pub join_main: bool,
    /// Whether a line, trimmed and no comment, speaks for the dialect.
    pub(crate) line: fn(&str) -> bool,
    /// How much in a JSON text speaks for the dialect.
    pub(crate) json: fn(&str) -> u32,
    /// Whether the program starts from a file with this text, so that two such are two configurations.
    pub(crate) is_main: fn(&str) -> bool,
}

/// How a text is made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Form {
    /// Of lines; words may be quoted.
    Lines,
    /// Of statements that end in semicolons and blocks in braces; words may be quoted, and braces in quotes are text.
    Statements,
    /// A tree of YAML or JSON.
    Tree,
}

/// What a time without a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum BareTimes {
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
}

/// What the tiers of a pool are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Tiers {
    /// Active endpoints and backups, which serve when no active one is left.
    Backups,
    /// Numbered levels, of which any may be left out. The lower ones take a part as soon as enough hosts of those above
    /// are unhealthy.
    Levels,
}

/// How routes that take a part of all requests draw theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Draws {
    /// Each condition draws anew.
    Each,
    /// One number is drawn for all routes of a request and the arms of a split.
    Once,
    /// Nothing is drawn: a hash of the request decides.
    Hashed,
}

/// What algorithms are called.
#[derive(Debug)]
#[non_exhaustive]
pub struct Algorithms {
    /// One after the other.
    pub round_robin: &'static str,
    /// The fewest connections, by the number of endpoints compared (`None`: all) and the bias where it is not 1.
    pub least_connections: fn(Option<u32>, Option<&str>) -> String,
    /// By chance, by the number of endpoints drawn and what decides between them.
    pub random: fn(u32, Option<&str>) -> String,
    /// What stands before the key of a hash table that knows nothing of consistency.
    pub map_hash: &'static str,
    /// Stands around a constant.
    pub quote: char,
}

/// What to do about what rules find, where that differs by language.
#[derive(Debug)]
#[non_exhaustive]
pub struct Advice {
    /// What a pool lacks in which nothing notices a dead endpoint.
    pub nothing_watches: &'static str,
    /// How to have dead endpoints noticed.
    pub watch: &'static str,
    /// How to check every endpoint of a pool in which some are checked.
    pub check_all: &'static str,
    /// How to tell clients apart behind another proxy.
    pub restore_client: &'static str,
    /// How to hold endpoints to their weights.
    pub share_by_weight: &'static str,
    /// How to divide traffic whatever the number of endpoints.
    pub divide: &'static str,
}

/// A value for each dialect.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "whoever makes one has a value for each")]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct ByDialect<T> {
    /// HAProxy's.
    pub haproxy: T,
    /// nginx's.
    pub nginx: T,
    /// Envoy's.
    pub envoy: T,
}

impl<T> ByDialect<T> {
    /// That of one dialect.
    #[must_use]
    pub fn of(self, dialect: Dialect) -> T {
        match dialect {
            Dialect::HaProxy => self.haproxy,
            Dialect::Nginx => self.nginx,
            Dialect::Envoy => self.envoy,
        }
    }

    /// Each with its dialect.
    pub fn each(self) -> [(Dialect, T); 3] {
        let [haproxy, nginx, envoy] = Dialect::ALL;
        [(haproxy, self.haproxy), (nginx, self.nginx), (envoy, self.envoy)]
    }
}

/// A set of dialects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialects(u8);

impl Dialects {
    /// HAProxy alone.
    pub const HAPROXY: Self = Self(1);
    /// nginx alone.
    pub const NGINX: Self = Self(2);
    /// Envoy alone.
    pub const ENVOY: Self = Self(4);
    /// Every dialect.
    pub const ALL: Self = Self::HAPROXY.and(Self::NGINX).and(Self::ENVOY);

    /// These and those.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Each, in the order used everywhere.
    pub fn iter(self) -> impl Iterator<Item = Dialect> {
        Dialect::ALL.into_iter().filter(move |dialect| self.0 & (1 << *dialect as u8) != 0)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which nginx runs a configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Edition {
    /// Nobody said. What only NGINX Plus knows may be right.
    #[default]
    Unknown,
    /// The open source one.
    OpenSource,
    /// NGINX Plus, which has more directives.
    Plus,
}

/// The text does not name a dialect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a dialect: use haproxy, nginx or envoy")]
pub struct UnknownDialect(pub String);

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|dialect| dialect.as_str() == text)
            .ok_or_else(|| UnknownDialect(text.to_owned()))
    }
}

/// A product version, `major.minor`; patch levels and suffixes such as `-dev5` are not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Major number.
    pub major: u16,
    /// Minor number.
    pub minor: u16,
    /// Patch number; 0 when not named. nginx features appear in patch releases (1.27.3).
    pub patch: u16,
}

impl Version {
    /// `major.minor.0`.
    #[must_use]
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor, patch: 0 }
    }

    /// The release series: the version without its patch number.
    #[must_use]
    pub const fn series(self) -> Self {
        Self::new(self.major, self.minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.patch > 0 { write!(f, ".{}", self.patch) } else { Ok(()) }
    }
}

/// The text is not a version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version: write it as 3.2 or 1.27.3")]
pub struct BadVersion(pub String);

impl FromStr for Version {
    type Err = BadVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadVersion(text.to_owned());
        let plain = text.split('-').next().unwrap_or_default();
        let mut numbers = plain.split('.').map(|part| part.parse::<u16>().map_err(|_| bad()));
        let major = numbers.next().ok_or_else(bad)??;
        let minor = numbers.next().ok_or_else(bad)??;
        let patch = numbers.next().transpose()?.unwrap_or(0);
        if numbers.next().is_some() { Err(bad()) } else { Ok(Self { major, minor, patch }) }
    }
}

/// Whether a text is JSON or flow style. `{{` and `{%` begin a template.
pub(crate) fn is_json(text: &str) -> bool {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    start.starts_with(['{', '[']) && !start.starts_with("{{") && !start.starts_with("{%")
}
