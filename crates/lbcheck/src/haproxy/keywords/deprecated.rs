//! Words that HAProxy still takes and warns of, as data: one entry a line.
//!
//! An entry stands here for what the program itself prints about it (`haproxy -c`), or for what the manual of that
//! version says where the program stays silent.

use super::Version;

/// Where a deprecated word stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spot {
    /// First on a line, in any section that knows it.
    Keyword,
    /// After `option`.
    Option,
}

/// A word that is on its way out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deprecated {
    /// Where it stands.
    pub(crate) spot: Spot,
    /// The word.
    pub(crate) name: &'static str,
    /// The first version that warns of it.
    pub(crate) since: Version,
    /// What to do instead.
    pub(crate) advice: &'static str,
}

const fn d(spot: Spot, name: &'static str, since: Version, advice: &'static str) -> Deprecated {
    Deprecated { spot, name, since, advice }
}

/// The words.
#[rustfmt::skip]
pub(crate) const DEPRECATED: &[Deprecated] = &[
    // HAProxy 3.4.7 warns, 3.2.26 does not; the program says 3.3 itself, and that 3.5 removes them.
    d(Spot::Keyword, "master-worker", Version::new(3, 3), "start HAProxy with `-W` or `-Ws` instead"),
    d(Spot::Option, "transparent", Version::new(3, 3), "write a server with the address 0.0.0.0"),
    // HAProxy 2.6.12 warns, 2.4.30 does not.
    d(Spot::Keyword, "tune.ssl.capture-cipherlist-size", Version::new(2, 6), "write `tune.ssl.capture-buffer-size`"),
    // HAProxy 3.2.26 warns, 3.0.11 does not; 3.1 does not know the successor either.
    d(Spot::Option, "accept-invalid-http-request", Version::new(3, 2), "fix the clients, or write `option accept-unsafe-violations-in-http-request`"),
    d(Spot::Option, "accept-invalid-http-response", Version::new(3, 2), "fix the servers, or write `option accept-unsafe-violations-in-http-response`"),
];

/// What is said of a word in this spot by this version.
pub(crate) fn deprecated(spot: Spot, name: &str, version: Version) -> Option<&'static Deprecated> {
    DEPRECATED.iter().find(|entry| entry.spot == spot && entry.name == name && entry.since <= version)
}
