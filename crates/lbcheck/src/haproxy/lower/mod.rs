//! Sections into the model: inheritance, order and names are settled here.

mod balance;
mod bind;
mod checks;
mod dynamic;
mod ineffective;
mod links;
mod names;
mod pool;
mod proxy;
mod references;
mod rewrites;
mod rewritten;
mod rules;
mod server;
mod settings;

use std::collections::{BTreeMap, BTreeSet};

use super::acl::Budget;
use super::maps::Maps;
use super::report::{Own, Report};
use super::syntax::{Section, SectionKind};
use crate::model::{ClientAddress, Config, Listener, PoolId, RouteTable, Weakens};
use crate::reading::ReadOptions;
use crate::source::Spanned;

use proxy::Proxy;
use settings::{Pools, Settings};

/// Lowers a whole configuration, and tells which `defaults` section each section inherits.
pub(super) fn lower(
    sections: &[Section<'_>],
    options: &ReadOptions,
    maps: &Maps,
    report: &mut Report,
) -> (Config, Vec<Option<usize>>) {
    let mut config = Config::empty(options.dialect, options.version);
    names::check(sections, report);
    let parents = names::parents(sections, report);
    names::shared_rules(sections, &parents, report);
    let mut inherited: Vec<Option<Settings>> = sections.iter().map(|_| None).collect();
    let mut proxies: Vec<Proxy<'_, '_>> = Vec::new();
    let lines: usize = sections.iter().map(|section| section.lines.len()).sum();

    let tables = Own::inherits_tables(sections);
    for (index, section) in sections.iter().enumerate() {
        report.assumed = section.header.assumed;
        report.understood();
        let parent = parents.get(index).copied().flatten();
        let base = parent
            .and_then(|parent| inherited.get(parent)?.as_ref())
            .map(Settings::inherited)
            .unwrap_or_default();
        match section.kind {
            SectionKind::Defaults => {
                let proxy = proxy::read(section, None, base, report);
                if let Some(slot) = inherited.get_mut(index) {
                    *slot = Some(proxy.settings);
                }
            }
            SectionKind::Frontend | SectionKind::Backend | SectionKind::Listen => {
                let parent = parent.and_then(|parent| sections.get(parent));
                report.own = Own::of(section, tables);
                let proxy = proxy::read(section, parent, base, report);
                report.own = Own::UNKNOWN;
                ineffective::check(&proxy, report);
                proxies.push(proxy);
            }
            kind => {
                if kind == SectionKind::LogForward {
                    config.serves_other.get_or_insert(section.header.span);
                }
                section.lines.iter().for_each(|_| report.understood());
            }
        }
    }

    let mut pools: Pools<'_> = BTreeMap::new();
    for proxy in &proxies {
        if !proxy.is_pool() {
            continue;
        }
        report.assumed = proxy.section.header.assumed;
        let pool = pool::build(proxy, report);
        let id = config.add_pool(pool);
        for server in &proxy.servers {
            if let Some(span) = server.settings.unknown {
                let what = format!("server `{}` depends on a variable that is not set", server.name.as_str());
                report.gap(span, what, Weakens::Pool(id));
            }
        }
        pools.entry(proxy.section.name()).or_insert(id);
    }

    let off: BTreeSet<&str> = proxies
        .iter()
        .filter(|proxy| proxy.is_pool() && proxy.is_disabled())
        .map(|proxy| proxy.section.name())
        .collect();
    let mut budget = Budget::for_lines(lines);
    let mut rewrites: BTreeMap<PoolId, String> = BTreeMap::new();
    let mut own = config.pools().map(|(id, _)| id).collect::<Vec<_>>().into_iter();
    for proxy in &proxies {
        let id = if proxy.is_pool() { own.next() } else { None };
        report.own = Own::of(proxy.section, tables);
        let routes =
            rules::lower(proxy, id, rules::Named { pools: &pools, off: &off, maps }, &mut budget, report);
        if let Some(id) = id
            && let Some(pool) = config.pools.get_mut(id.0 as usize)
        {
            rewrites.extend(routes.rewrite.map(|rewrite| (id, rewrite)));
            pool.overrides = routes.inside;
            pool.answers_locally = pool.answers_locally.or(routes.answers_locally);
        }
        if proxy.section.kind == SectionKind::Backend || proxy.is_disabled() {
            continue;
        }
        let table = config.add_table(RouteTable { routes: routes.listener, label: proxy.section.label() });
        config.listeners.push(Listener {
            name: Spanned::new(proxy.section.name().to_owned(), proxy.section.header.at(1)),
            mode: proxy.mode(),
            binds: proxy.binds.clone(),
            table,
            span: proxy.section.header.span,
        });
    }
    report.own = Own::UNKNOWN;
    checks::spread(sections, &mut config);
    config.client_address = client_address(&proxies);
    rewrites::pass_on(&mut config, &rewrites, &mut budget);
    links::check(&proxies, &pools, sections, &mut config, report);
    references::check(&proxies, sections, report);
    report.assumed = false;
    (config, parents)
}

/// Headers in which a proxy in front says who the client is, as fetches name them.
const FORWARDED: &[&str] = &["(x-forwarded-for", "(x-forwarded-proto", "(x-real-ip", "(cf-connecting-ip"];

/// Whether addresses are restored anywhere, or a rule reads what only a proxy in front would write.
fn client_address(proxies: &[Proxy<'_, '_>]) -> ClientAddress {
    let mut front = None;
    for proxy in proxies {
        if let Some(bind) = proxy.binds.iter().find(|bind| bind.accept_proxy) {
            return ClientAddress::Restored(bind.span);
        }
        for line in &proxy.section.lines {
            let words = line.args(0);
            let has = |name: &str| words.iter().any(|word| word.as_str() == name);
            if has("set-src")
                || has("expect-proxy")
                || has("expect-netscaler-cip")
                || has("accept-netscaler-cip")
            {
                return ClientAddress::Restored(line.span);
            }
            let reads = |text: &str| {
                if !text.contains("hdr") {
                    return false;
                }
                let text = text.to_ascii_lowercase();
                FORWARDED.iter().any(|name| text.contains(name))
            };
            if front.is_none() && words.iter().any(|word| reads(word.as_str())) {
                front = Some(Spanned::new("this shows a proxy in front".to_owned(), line.span));
            }
        }
    }
    front.map_or(ClientAddress::Peer, ClientAddress::Behind)
}
