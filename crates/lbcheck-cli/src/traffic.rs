//! `lbcheck traffic`.

use std::fs;
use std::io::{self, Read as _};
use std::process::ExitCode;

use lbcheck::traffic::scenario::Capacity;
use lbcheck::traffic::{place_keys, place_keys_after};
use lbcheck::{Failing, Question, Sources, Survey, Verdict};
use lbcheck_report::{Format, PlacedKey, Style, TrafficReport, View, clean};

use crate::args::{AskingArgs, CapacityArg, OutputArgs, TrafficArgs};
use crate::input::DASH;
use crate::{Failure, input, output};

/// Bytes of a file of keys that are read.
const MOST_KEY_BYTES: u64 = 64 * 1024 * 1024;

pub(crate) fn run(arguments: &TrafficArgs) -> Result<ExitCode, Failure> {
    let out = OutputArgs { formats: arguments.formats.clone(), color: arguments.color };
    output::validate(&out, &arguments.paths)?;
    if let Some(other) = arguments.formats.iter().find(|to| !matches!(to.format, Format::Text | Format::Json))
    {
        return Err(Failure::new(format!(
            "`traffic` has no {} format: use text or json",
            other.format.as_str()
        )));
    }
    if arguments.asking.keys.as_deref() == Some(DASH) && arguments.paths.iter().any(|path| path == DASH) {
        return Err(Failure::new("only one of configuration and keys can come from standard input"));
    }
    let question = question(&arguments.asking)?;
    let mut sources = Sources::new();
    let mut inputs = input::load_all(&mut sources, &arguments.paths, &arguments.reading)?;
    let input = match (inputs.pop(), inputs.len()) {
        (Some(input), 0) => input,
        (_, others) => {
            return Err(Failure::new(format!(
                "these are {} configurations: name the files of one",
                others + 1
            )));
        }
    };
    let survey = input.traffic(&question)?;
    let keys = match &arguments.asking.keys {
        Some(path) => Some(keys(&survey, path)?),
        None => None,
    };
    let summary = input.summary(&sources);
    let report =
        TrafficReport { input: &summary, question: &question, survey: &survey, keys: keys.as_deref() };
    let view = View::new(&sources);
    output::deliver(&out, Verdict::Pass, |format, style| {
        lbcheck_report::traffic(format, &view, report, Style { width: output::terminal_width(), ..style })
    })
}

fn question(arguments: &AskingArgs) -> Result<Question, Failure> {
    let fail = match arguments.fail.as_slice() {
        [] => Failing::Nothing,
        [any] if any == "any=1" => Failing::WorstOne,
        names => {
            if let Some(any) = names.iter().find(|name| name.starts_with("any=")) {
                return Err(Failure::new(format!(
                    "--fail {}: only the loss of any one server is predicted, as `any=1` on its own",
                    clean(any)
                )));
            }
            Failing::Named(names.to_vec())
        }
    };
    Ok(Question {
        pool: arguments.pool.clone(),
        fail,
        load: arguments.load.0,
        concurrency: arguments.concurrency,
        rate: arguments.rate.map(|rate| rate.0),
        capacity: arguments.capacity.map(|capacity| match capacity {
            CapacityArg::Requests(requests) => Capacity::Requests(requests),
            CapacityArg::Multiple(times) => Capacity::Multiple(times),
        }),
        clients: arguments.clients,
        returning: arguments.cookie_share.map(|part| part.0),
        addresses: arguments.addresses.iter().map(|of| (of.name.clone(), of.count)).collect(),
        seed: arguments.seed,
    })
}

/// The keys of a file, one a line, and where they go.
fn keys(survey: &Survey, path: &str) -> Result<Vec<PlacedKey>, Failure> {
    let mut bytes = Vec::new();
    let read = match path {
        DASH => io::stdin().take(MOST_KEY_BYTES).read_to_end(&mut bytes),
        path => fs::File::open(path).and_then(|file| file.take(MOST_KEY_BYTES).read_to_end(&mut bytes)),
    };
    if let Err(error) = read {
        return Err(Failure::new(format!("cannot read the keys in `{}`: {error}", clean(path))));
    }
    if bytes.len() as u64 == MOST_KEY_BYTES {
        return Err(Failure::new(format!("`{}` is too large: 64 MiB of keys at most", clean(path))));
    }
    let [pool] = survey.pools.as_slice() else {
        return Err(Failure::new("several pools have that name, and keys are placed in one"));
    };
    let lines: Vec<&[u8]> = bytes
        .strip_suffix(b"\n")
        .unwrap_or(&bytes)
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .collect();
    let unplaced = |reason: String| Failure::new(format!("keys cannot be placed: {reason}"));
    let of = |lines: &[&[u8]]| place_keys(&survey.config, pool.pool, lines.iter().copied());
    let text = |line: &[u8]| String::from_utf8_lossy(line).into_owned();
    let places = of(&lines).map_err(unplaced)?;
    if pool.failed.is_empty() {
        let placed = |(line, to)| PlacedKey { key: text(line), to, before: None };
        return Ok(lines.into_iter().zip(places).map(placed).collect());
    }
    let after = place_keys_after(&survey.config, pool.pool, &pool.noticed(), lines.iter().copied());
    let moves = places.into_iter().zip(after.map_err(unplaced)?);
    let placed = |(line, (before, to))| PlacedKey { key: text(line), to, before: Some(before) };
    Ok(lines.into_iter().zip(moves).map(placed).collect())
}
