//! `lbcheck route`.

use std::process::ExitCode;

use lbcheck::analysis;
use lbcheck::source::Sources;
use lbcheck::traffic::{self, EndKind, Request, RouteReport, Truth};
use lbcheck_report::{Format, Routed, View};

use crate::args::{RouteArgs, RouteFormat};
use crate::{Failure, input, output};

pub(crate) fn run(arguments: &RouteArgs) -> Result<ExitCode, Failure> {
    let request = request(arguments)?;
    let mut sources = Sources::new();
    let inputs = input::load_all(&mut sources, &arguments.paths, &arguments.reading)?;
    let [input] = inputs.as_slice() else {
        return Err(Failure::new("these files are several configurations: name those of one"));
    };
    let view = View::new(&sources);
    if input.reading.broken {
        let paths: Vec<_> = input.given.iter().map(|path| lbcheck_report::clean(path)).collect();
        let paths = paths.join("`, `");
        return Err(Failure::new(format!(
            "`{paths}` could not be read as a whole; `lbcheck check` says why"
        )));
    }
    if let Some(expected) = &arguments.expect {
        let mut known = input.reading.config.pools.iter().map(|pool| pool.name.value.as_str());
        if !known.any(|name| name == expected) {
            let noun = input.reading.config.dialect.pool_noun();
            let known = input.reading.config.pools.iter().map(|pool| pool.name.value.as_str());
            let near = crate::traffic::near(expected, known);
            return Err(Failure::new(format!(
                "--expect: there is no {noun} `{}`{near}",
                lbcheck_report::clean(expected)
            )));
        }
    }
    let report = traffic::explain(&input.reading.config, &request, arguments.listener.as_deref())
        .map_err(|problem| Failure::new(lbcheck_report::clean(&problem)))?;
    let summary = analysis::summary(&sources, &input.subject());
    let routed = Routed { input: &summary, request: &request, report: &report, verbose: arguments.verbose };
    let format = match arguments.format {
        RouteFormat::Text => Format::Text,
        RouteFormat::Json => Format::Json,
    };
    let printed = output::print_only(&lbcheck_report::route(format, &view, routed))?;
    match &arguments.expect {
        Some(expected) if !certain(&report, expected) => {
            output::mention(&format!("this is not certainly `{expected}`"));
            Ok(ExitCode::from(1))
        }
        _ => Ok(printed),
    }
}

/// Whether a listener takes the request, and this pool serves it whichever that is.
fn certain(report: &RouteReport, pool: &str) -> bool {
    let serves = |kind: EndKind, name: Option<&str>| kind == EndKind::Pool && name == Some(pool);
    report.taken == Truth::Yes
        && !report.listeners.is_empty()
        && report.listeners.iter().all(|listener| {
            listener.complete
                && !listener.ends.is_empty()
                && listener.ends.iter().all(|end| end.is_served && serves(end.kind, end.pool.as_deref()))
        })
}

fn request(arguments: &RouteArgs) -> Result<Request, Failure> {
    let problem = |option: &str, problem: String| {
        Failure::new(format!("{option}: {}", lbcheck_report::clean(&problem)))
    };
    let mut request = Request::parse(&arguments.request).map_err(|error| problem("--request", error))?;
    for header in &arguments.headers {
        request.add_header(header).map_err(|error| problem("--header", error))?;
    }
    request.source = arguments.src;
    if arguments.sni.is_some() {
        request.sni.clone_from(&arguments.sni);
    }
    Ok(request)
}
