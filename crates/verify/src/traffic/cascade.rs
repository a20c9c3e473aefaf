//! Servers that get more than they can take end in turn, as lbcheck predicts.

use std::net::SocketAddrV4;

use anyhow::{Context, Result, bail};
use lbcheck::traffic::scenario::{Capacity, Cascade, CascadeEnd};

use super::arena::Arena;
use super::backend::Backends;
use super::client::ask_all;
use super::measure::{measure, same};
use super::proxy::Proxy;
use super::run::{Compared, await_notice};
use super::scenario::{Expect, Scenario, Send};

/// What a cascade runs on.
pub(super) struct Fall<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) proxy: &'a Proxy,
    pub(super) arena: &'a Arena,
    pub(super) servers: &'a [SocketAddrV4],
}

impl Fall<'_> {
    /// Ends what is overloaded until nothing is, and compares each round with the step that is predicted. `positions`:
    /// the server of each endpoint.
    pub(super) fn follow(
        &self,
        cascade: &Cascade,
        positions: &[Option<usize>],
        backends: &mut Backends,
    ) -> Result<(usize, Compared)> {
        let Expect::Cascade(Capacity::Requests(limit)) = self.scenario.expect else {
            bail!("no limit is named")
        };
        let Send::Held(at_once) = self.scenario.send else { bail!("requests are to be held") };
        let mut down = self.scenario.fail.clone();
        let (mut predicted, mut measured) = (Vec::new(), Vec::new());
        let mut problems = Vec::new();
        let mut requests = 0;
        for step in &cascade.steps {
            let mut wanted = Vec::new();
            for (endpoint, strain) in &step.overloaded {
                let server =
                    positions.get(*endpoint).copied().flatten().context("an endpoint is no server")?;
                wanted.push((server, strain * limit as f64));
            }
            let seen = self.overloaded(at_once, limit, backends)?;
            requests += at_once;
            // Whole requests: a server is at most one away from its share.
            let same = wanted.len() == seen.len()
                && wanted.iter().zip(&seen).all(|((server, load), (seen, count))| {
                    server == seen && (load - *count as f64).abs() <= 1.0 + 1e-9
                });
            predicted.push(shown(
                &wanted.iter().map(|&(server, load)| (server, format!("{load:.1}"))).collect::<Vec<_>>(),
            ));
            measured.push(shown(
                &seen.iter().map(|&(server, count)| (server, count.to_string())).collect::<Vec<_>>(),
            ));
            if !same {
                problems.push(format!("round {}: {seen:?} are overloaded, not {wanted:?}", predicted.len()));
                break;
            }
            for (server, _) in &seen {
                backends.end(*server);
                down.push(*server);
            }
            await_notice(self.scenario, &down, self.proxy, self.arena, self.servers)?;
        }
        if problems.is_empty() {
            let (wanted, seen) = match cascade.end {
                CascadeEnd::Stable => {
                    requests += at_once;
                    let left = self.overloaded(at_once, limit, backends)?;
                    ("stable", if left.is_empty() { "stable" } else { "not stable" })
                }
                CascadeEnd::Down => {
                    let answers = ask_all(self.arena.front(), &vec![same(); 20])?;
                    requests += answers.len();
                    let served = answers.iter().any(|answer| answer.server.is_some());
                    ("down", if served { "not down" } else { "down" })
                }
                CascadeEnd::Open => bail!("the cascade has no end"),
            };
            predicted.push(wanted.into());
            measured.push(seen.into());
            if wanted != seen {
                problems.push(format!("in the end it is {seen}"));
            }
        }
        let compared = Compared {
            predicted: predicted.join(", then "),
            measured: measured.join(", then "),
            deviation: if problems.is_empty() { "none".into() } else { "a round".into() },
            bound: "every round, to one request".into(),
            problem: (!problems.is_empty()).then(|| problems.join("; ")),
            ..Compared::default()
        };
        Ok((requests, compared))
    }

    /// The servers that get more than `limit` of `at_once` requests, in order, with how many.
    fn overloaded(&self, at_once: usize, limit: u64, backends: &Backends) -> Result<Vec<(usize, u64)>> {
        let measured = measure(&Send::Held(at_once), self.arena.front(), backends, self.proxy)?;
        let counts = measured.counts(self.servers.len());
        let over = counts.into_iter().map(|count| count as u64).enumerate();
        Ok(over.filter(|(_, count)| *count > limit).collect())
    }
}

/// `server 1 with 6`.
fn shown(servers: &[(usize, String)]) -> String {
    let each: Vec<String> =
        servers.iter().map(|(server, load)| format!("server {} with {load}", server + 1)).collect();
    each.join(" and ")
}
