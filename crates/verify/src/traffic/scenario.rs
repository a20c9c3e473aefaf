//! A scenario as data: what runs, what is sent, what is compared and how.

use std::net::IpAddr;

use lbcheck::dialect::{Dialect, Version};
use lbcheck::traffic::scenario::Capacity;

use super::client::Ask;

/// One comparison of a prediction with a running proxy.
#[derive(Clone)]
pub struct Scenario {
    /// What is shown of it, in a few words.
    pub title: String,
    /// Which proxy.
    pub dialect: Dialect,
    /// The configuration. `@FRONT@` is where the proxy listens and `@BACKn@` the n-th server, in the dialect's own
    /// form of an address; `@DIR@` is a folder for temporary files.
    pub config: String,
    /// The pool that is compared.
    pub pool: &'static str,
    /// The oldest version that has what it needs.
    pub since: Option<Version>,
    /// Worker processes or threads.
    pub workers: u32,
    /// Servers, counted from 0, that fail before anything is measured.
    pub fail: Vec<usize>,
    /// Servers that live and go out with those that are ended.
    pub along: Vec<usize>,
    /// How they fail.
    pub how: How,
    /// How the proxy comes to know of it.
    pub notice: Notice,
    /// The part of requests that come with the token of a session.
    pub returning: Option<f64>,
    /// How many times its normal load the pool has with what is sent.
    pub load: f64,
    /// What is sent.
    pub send: Send,
    /// What has to hold.
    pub expect: Expect,
}

/// How a server fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It ends, and connections to it are refused.
    Ends,
    /// It takes connections and answers nothing any more.
    FallsSilent,
    /// It answers checks, and every request with an error.
    Errs,
}

/// How a proxy finds a server that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// By the checks that are configured; the proxy is asked until it says so.
    Checks,
    /// By requests that fail: they are sent until the proxy says that it has found out.
    Traffic,
    /// By this many requests that are sent before anything is measured.
    Requests(usize),
    /// Not at all.
    Never,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Send {
    /// So many equal requests, one at a time.
    Same(usize),
    /// Requests that differ, one at a time.
    Each(Vec<Ask>),
    /// So many equal requests that the servers hold back, one more after the other has arrived.
    Held(usize),
    /// So many equal requests at once: those that reach a server are held there, the others wait or are refused.
    Crowd(usize),
    /// So many equal requests, of which `at_once` are always in flight and the oldest is answered next.
    Flowing {
        /// Requests in flight.
        at_once: usize,
        /// Requests in all.
        count: usize,
    },
    /// The same with a key in a header, another one in each request.
    FlowingKeys {
        /// Requests in flight.
        at_once: usize,
        /// Requests in all.
        count: usize,
        /// The header.
        header: &'static str,
    },
    /// So many requests that servers are to answer with status 500.
    Failing(usize),
    /// So many requests that are all with a server when all are answered with status 500; retries are then held.
    FailingAtOnce(usize),
    /// Nothing before a server fails.
    Nothing,
    /// The first request of each of `clients` gets a cookie, with which the client comes back `returns` times.
    Returning {
        /// Clients.
        clients: usize,
        /// Further requests of each.
        returns: usize,
    },
}

/// What has to hold for a prediction to be right.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    /// The server of every key is the predicted one.
    EveryKey,
    /// The server of every request is the predicted one.
    EveryPick,
    /// Every server gets its share of the requests, to one request.
    ToOneRequest,
    /// The counts lie in the intervals that chance leaves them.
    ByChance,
    /// The number of requests in flight on each server is the predicted one, to one.
    InFlight,
    /// As [`Expect::ByChance`], over all servers of all pools, from the listener on.
    EndToEnd,
    /// The part of requests that end in an error is within what chance leaves it.
    Errors,
    /// Requests in service on each server, waiting in the proxy and refused by it are as many as predicted.
    Crowd,
    /// Where every attempt fails, servers get exactly so many for each request.
    Attempts,
    /// Of requests that fail together, so many are retried at once.
    RetriesAtOnce,
    /// A server is found to be down, and up again, in the time that is predicted: at three moments between two checks.
    NoticedInTime,
    /// So many requests fail until a server is out, and where that is predicted it is tried again in time.
    NoticedByRequests,
    /// For every single server that fails the shares of the others are those predicted, by [`Expect::ByChance`], and
    /// the worst of all is the one that lbcheck names.
    EveryLoss,
    /// Servers that get more than they can take end in turn: the same ones as predicted, with the same load.
    Cascade(Capacity),
    /// lbcheck says that it does not know, in a sentence with these words. Nothing is sent.
    Unknown(&'static str),
}

impl Scenario {
    /// A scenario with nothing out of the ordinary.
    #[must_use]
    pub fn new(dialect: Dialect, title: &str, config: String, send: Send, expect: Expect) -> Self {
        Self {
            title: title.to_owned(),
            dialect,
            config,
            pool: "pool",
            since: None,
            workers: 1,
            fail: Vec::new(),
            along: Vec::new(),
            how: How::Ends,
            load: 1.0,
            notice: Notice::Never,
            returning: None,
            send,
            expect,
        }
    }

    /// Needs this version.
    #[must_use]
    pub fn since(mut self, major: u16, minor: u16) -> Self {
        self.since = Some(Version::new(major, minor));
        self
    }

    /// These servers end, and the proxy comes to know.
    #[must_use]
    pub fn fails(mut self, servers: &[usize], notice: Notice) -> Self {
        self.fail = servers.to_vec();
        self.notice = notice;
        self
    }

    /// These servers, which live, go out with those that end.
    #[must_use]
    pub fn taking(mut self, along: &[usize]) -> Self {
        self.along = along.to_vec();
        self
    }

    /// The servers that fail do so in this way.
    #[must_use]
    pub fn how(mut self, how: How) -> Self {
        self.how = how;
        self
    }

    /// What is sent is so many times the normal load.
    #[must_use]
    pub fn load(mut self, load: f64) -> Self {
        self.load = load;
        self
    }

    /// Runs with so many workers.
    #[must_use]
    pub fn workers(mut self, workers: u32) -> Self {
        self.workers = workers;
        self
    }
}

/// Keys of a hash scenario.
pub const KEYS: usize = 2000;

/// Requests whose keys are in a header.
#[must_use]
pub fn by_header(name: &'static str) -> Send {
    each(|number| {
        let key = format!("user-{number}");
        Ask { path: "/".into(), headers: vec![(name, key.clone())], key, ..Ask::default() }
    })
}

/// Requests whose keys are their paths; the query is not part of them.
#[must_use]
pub fn by_path() -> Send {
    Send::Each(paths(KEYS))
}

/// The first of the requests of [`by_path`].
#[must_use]
pub fn paths(count: usize) -> Vec<Ask> {
    let ask = |number: usize| {
        let key = format!("/shop/item-{number}.html");
        Ask { path: format!("{key}?page={}", number % 7), key, ..Ask::default() }
    };
    (0..count).map(ask).collect()
}

/// Requests whose keys are the value of the query parameter `id`.
#[must_use]
pub fn by_query() -> Send {
    each(|number| {
        let key = format!("{number}x");
        Ask { path: format!("/find?lang=en&id={key}&page=2"), key, ..Ask::default() }
    })
}

/// Requests of clients all over the IPv4 space.
#[must_use]
pub fn by_source() -> Send {
    // Unicast addresses only, which is what Envoy insists on.
    let spread = |number: usize| 0x0100_0000 + (number as u32).wrapping_mul(2_654_435_769) % 0xdf00_0000;
    each(|number| source(IpAddr::V4(spread(number).into())))
}

/// Requests of clients in neighbouring networks.
#[must_use]
pub fn by_neighbour() -> Send {
    each(|number| source(IpAddr::V4((0x0a14_0000 + 7 * number as u32).into())))
}

/// Requests of IPv6 clients.
#[must_use]
pub fn by_source6() -> Send {
    each(|number| {
        let spread = u128::from((number as u32).wrapping_mul(2_654_435_769));
        source(IpAddr::V6(((0x2001_0db8_u128 << 96) | (spread << 40) | number as u128).into()))
    })
}

fn source(address: IpAddr) -> Ask {
    Ask { path: "/".into(), source: Some(address), key: address.to_string(), ..Ask::default() }
}

/// One request for each of [`KEYS`] numbers.
pub fn each(ask: impl Fn(usize) -> Ask) -> Send {
    Send::Each((0..KEYS).map(ask).collect())
}
