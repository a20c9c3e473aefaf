//! `use_backend` with a name that is put together from the request.

use crate::dialect::Version;
use crate::haproxy::fetch::{call, split_expression};
use crate::haproxy::maps::Maps;
use crate::model::{Changed, KeyFits, Match, Recipe, RecipePart, SampleStep, Sampled, TextMatch};

/// Takes a format apart. `None`: something in it is not followed.
pub(super) fn recipe(text: &str, maps: &Maps, changed: &Changed, version: Version) -> Option<Recipe> {
    // Quotes and escapes have rules of their own.
    if text.contains(['"', '\'', '\\', '{']) {
        return None;
    }
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        if !before.is_empty() {
            parts.push(RecipePart::Text(before.to_owned()));
        }
        let (expression, after) = after.strip_prefix('[')?.split_once(']')?;
        parts.push(sample(expression, maps, changed, version)?);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(RecipePart::Text(rest.to_owned()));
    }
    Some(Recipe { parts })
}

fn sample(expression: &str, maps: &Maps, changed: &Changed, version: Version) -> Option<RecipePart> {
    let mut pieces = split_expression(expression).into_iter();
    let of = sampled(pieces.next()?)?;
    if is_rewritten(&of, changed) {
        return None;
    }
    let steps: Option<Vec<SampleStep>> = pieces.map(|piece| step(piece, maps, version)).collect();
    let steps = steps?;
    // Before 2.8 a word that is not there was an empty one.
    let words = |step: &SampleStep| matches!(step, SampleStep::Word { .. });
    if version < Version::new(2, 8) && steps.iter().rev().skip(1).any(words) {
        return None;
    }
    Some(RecipePart::Sample { of, steps })
}

fn sampled(fetch: &str) -> Option<Sampled> {
    let (name, argument) = call(fetch);
    let named = || argument.filter(|argument| !argument.is_empty() && !argument.contains(','));
    Some(match (name, argument) {
        ("str", Some(text)) => Sampled::Constant(text.to_owned()),
        ("path", None) => Sampled::Path,
        ("pathq", None) => Sampled::Target,
        ("method", None) => Sampled::Method,
        ("src", None) => Sampled::Source,
        ("dst_port", None) => Sampled::Port,
        ("ssl_fc_sni", None) => Sampled::Sni,
        ("hdr" | "req.hdr" | "req.fhdr", _) => match named()?.to_ascii_lowercase().as_str() {
            "host" => Sampled::Host,
            header if name == "req.fhdr" => Sampled::HeaderLine(header.to_owned()),
            header => Sampled::Header(header.to_owned()),
        },
        ("urlp" | "url_param", _) => Sampled::Query(named()?.to_owned()),
        ("cook" | "req.cook", _) => Sampled::Cookie(named()?.to_owned()),
        _ => return None,
    })
}

/// Whether an earlier rule may have changed it.
fn is_rewritten(of: &Sampled, changed: &Changed) -> bool {
    let test = match of {
        Sampled::Constant(_) => return false,
        Sampled::Host => Match::Host(TextMatch::Present),
        Sampled::Path => Match::Path(TextMatch::Present),
        Sampled::Target => Match::Target(TextMatch::Present),
        Sampled::Method => Match::Method(TextMatch::Present),
        Sampled::Header(name) => Match::Header(name.clone(), TextMatch::Present),
        Sampled::HeaderLine(name) => Match::HeaderLine(name.clone(), TextMatch::Present),
        Sampled::Query(name) => Match::Query(name.clone(), TextMatch::Present),
        Sampled::Cookie(name) => Match::Cookie(name.clone(), TextMatch::Present),
        Sampled::Sni => Match::Sni(TextMatch::Present),
        Sampled::Source => Match::Source("0.0.0.0/0".to_owned()),
        Sampled::Port => Match::Port(0),
    };
    changed.affects(&test)
}

fn step(converter: &str, maps: &Maps, version: Version) -> Option<SampleStep> {
    let (name, argument) = call(converter);
    let counted = || {
        let (index, delimiters) = argument?.split_once(',')?;
        let index: i64 = index.trim().parse().ok().filter(|&index| index != 0)?;
        // A third argument is a number of fields. Percent signs and blanks are written in other ways.
        let plain = !delimiters.is_empty() && !delimiters.contains(',');
        plain.then(|| (index, delimiters.to_owned()))
    };
    Some(match (name, argument) {
        ("lower", None) => SampleStep::Lower,
        ("upper", None) => SampleStep::Upper,
        ("host_only", None) => SampleStep::HostOnly,
        ("field", _) => {
            let (index, delimiters) = counted()?;
            SampleStep::Field { index, delimiters }
        }
        ("word", _) => {
            let (index, delimiters) = counted()?;
            SampleStep::Word { index, delimiters }
        }
        _ => {
            let fits = match name {
                "map" | "map_str" => KeyFits::Exactly,
                "map_beg" => KeyFits::LongestPrefix,
                "map_end" => KeyFits::Suffix,
                // Up to 3.0 it compares the end; nobody asked 3.1.
                "map_sub" if version >= Version::new(3, 2) => KeyFits::Contains,
                "map_dir" => KeyFits::Segment,
                "map_dom" => KeyFits::Label,
                "map_reg" => KeyFits::Regex,
                _ => return None,
            };
            let (file, default) = match argument?.split_once(',') {
                Some((_, default)) if default.contains(',') => return None,
                Some((file, default)) => (file, Some(default.to_owned())),
                None => (argument?, None),
            };
            SampleStep::Map { fits, entries: maps.get(file)?, default }
        }
    })
}
