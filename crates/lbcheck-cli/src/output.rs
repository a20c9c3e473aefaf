//! Where results and messages go.

use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use lbcheck::report::Verdict;
use lbcheck_report::{Format, Style, clean, message};

use crate::Failure;
use crate::args::{Colour, FormatTo, OutputArgs};

/// Columns that text is made for. Fixed, so that the same input gives the same output everywhere.
pub(crate) const WIDTH: usize = 140;

/// Renders each requested format and writes it to its place.
pub(crate) fn deliver(
    arguments: &OutputArgs,
    verdict: Verdict,
    render: impl Fn(Format, Style) -> String,
) -> Result<ExitCode, Failure> {
    let text = FormatTo { format: Format::Text, file: None };
    let formats = if arguments.formats.is_empty() { &[text][..] } else { &arguments.formats };
    let mut failure = Failure::default();
    for to in formats {
        let Some(path) = &to.file else {
            let style = Style { colour: use_colour(arguments.color), width: WIDTH };
            if let Err(error) = print(&render(to.format, style)) {
                failure.problems.push(format!("cannot write to standard output: {error}"));
            }
            continue;
        };
        let style = Style { colour: arguments.color == Colour::Always, width: WIDTH };
        if let Err(error) = fs::write(path, render(to.format, style)) {
            let path = path.to_string_lossy();
            let why = match error.kind() {
                io::ErrorKind::NotFound => "its folder does not exist".to_owned(),
                io::ErrorKind::IsADirectory => "it is a folder: name a file".to_owned(),
                _ => error.to_string(),
            };
            failure.problems.push(format!("cannot write `{}`: {why}", clean(&path)));
        }
    }
    if failure.problems.is_empty() { Ok(exit_code(verdict)) } else { Err(failure) }
}

/// Prints a text that stands for a verdict.
pub(crate) fn show(text: &str, verdict: Verdict) -> Result<ExitCode, Failure> {
    print_only(text).map(|_| exit_code(verdict))
}

/// Says on standard error what was done.
pub(crate) fn mention(text: &str) {
    let _ = writeln!(io::stderr(), "lbcheck: {}", message(text));
}

/// At most one format can go to standard output, each file can hold one, and none may be the configuration itself.
pub(crate) fn validate<'p>(
    arguments: &OutputArgs,
    inputs: impl IntoIterator<Item = &'p String>,
) -> Result<(), Failure> {
    let inputs: Vec<_> = inputs.into_iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
    let mut targets = std::collections::BTreeSet::new();
    for to in &arguments.formats {
        if let Some(path) = &to.file
            && fs::canonicalize(path).is_ok_and(|path| inputs.contains(&path))
        {
            return Err(Failure::new(format!(
                "`{}` is the configuration: name another file for --format {}=FILE",
                clean(&path.to_string_lossy()),
                to.format.as_str()
            )));
        }
        if !targets.insert(to.file.as_deref()) {
            let place = match &to.file {
                Some(path) => format!("`{}`", clean(&path.to_string_lossy())),
                None => "standard output".to_owned(),
            };
            return Err(Failure::new(format!(
                "two formats for {place}: send one of them elsewhere with --format {}=FILE",
                to.format.as_str()
            )));
        }
    }
    Ok(())
}

fn exit_code(verdict: Verdict) -> ExitCode {
    match verdict {
        Verdict::Pass => ExitCode::SUCCESS,
        Verdict::Fail => ExitCode::from(1),
        Verdict::Unreadable => ExitCode::from(2),
    }
}

fn use_colour(colour: Colour) -> bool {
    match colour {
        Colour::Always => true,
        Colour::Never => false,
        // Knows terminals, NO_COLOR, CLICOLOR and TERM=dumb.
        Colour::Auto => AutoStream::choice(&io::stdout()) != ColorChoice::Never,
    }
}

/// Columns of the terminal, if standard output is one; bars grow with it. Elsewhere [`BAR_WIDTH`], so that what goes
/// to a file is the same everywhere.
pub(crate) fn terminal_width() -> usize {
    match terminal_size::terminal_size_of(io::stdout()) {
        Some((terminal_size::Width(columns), _)) => usize::from(columns).clamp(40, 200),
        None => BAR_WIDTH,
    }
}

/// Columns of tables with bars where there is no terminal.
const BAR_WIDTH: usize = 100;

/// Writes to standard output. Whoever reads it may stop early: `lbcheck … | head` is no error.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Prints a result that no verdict hangs on.
pub(crate) fn print_only(text: &str) -> Result<ExitCode, Failure> {
    match print(text) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(Failure::new(format!("cannot write to standard output: {error}"))),
    }
}

/// Says on standard error what is wrong. If that is closed too there is nobody left to tell.
pub(crate) fn complain(problem: &str) {
    let _ = writeln!(io::stderr(), "error: {}", message(problem));
}

/// Prints what clap has to say: help, the version, or what is wrong with the arguments, which are shown without secrets.
pub(crate) fn usage(error: &clap::Error) {
    let text = error.to_string();
    let shown: Vec<String> = text.lines().map(message).collect();
    // A closed pipe is no error to us.
    if !error.use_stderr() || shown.iter().map(String::as_str).eq(text.lines()) {
        let _ = error.print();
    } else {
        let _ = writeln!(io::stderr(), "{}", shown.join("\n"));
    }
}

/// Passes on a text that is complete in itself.
pub(crate) fn complain_verbatim(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
