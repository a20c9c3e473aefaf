//! The three languages, what they call things, and product versions.

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

    /// `haproxy`, `nginx` or `envoy`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HaProxy => "haproxy",
            Self::Nginx => "nginx",
            Self::Envoy => "envoy",
        }
    }

    /// The product's name as its authors write it.
    #[must_use]
    pub fn product(self) -> &'static str {
        match self {
            Self::HaProxy => "HAProxy",
            Self::Nginx => "nginx",
            Self::Envoy => "Envoy",
        }
    }

    /// What users of the product call a pool.
    #[must_use]
    pub fn pool_noun(self) -> &'static str {
        match self {
            Self::HaProxy => "backend",
            Self::Nginx => "upstream",
            Self::Envoy => "cluster",
        }
    }

    /// What users of the product call an endpoint.
    #[must_use]
    pub fn endpoint_noun(self) -> &'static str {
        match self {
            Self::HaProxy | Self::Nginx => "server",
            Self::Envoy => "endpoint",
        }
    }

    /// What users of the product call a listener.
    #[must_use]
    pub fn listener_noun(self) -> &'static str {
        match self {
            Self::HaProxy => "frontend",
            Self::Nginx => "server block",
            Self::Envoy => "listener",
        }
    }

    /// The version assumed when nobody names one.
    #[must_use]
    pub fn assumed_version(self) -> Version {
        match self {
            Self::HaProxy => Version::new(3, 4),
            Self::Nginx => Version::new(1, 30),
            Self::Envoy => Version::new(1, 40),
        }
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
