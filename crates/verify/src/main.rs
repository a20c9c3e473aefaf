//! `cargo verify`: the full comparison with the running proxies, written to `docs/verification.md`.

#![allow(clippy::print_stdout, reason = "it is a command for the people who work on lbcheck")]

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use lbcheck::dialect::Dialect;
use lbcheck_verify::process::Scratch;
use lbcheck_verify::program::Program;
use lbcheck_verify::traffic::command as traffic;
use lbcheck_verify::verdicts::{self, Class};
use lbcheck_verify::{base, changes, page};

/// Compares lbcheck with the running proxies.
#[derive(Debug, Parser)]
#[command(name = "cargo verify")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Do the proxies and lbcheck call the same files valid?
    Verdicts(VerdictArgs),
    /// Does `diff` say something of every edit that the proxies accept?
    Diff(VerdictArgs),
    /// Do the proxies send requests where lbcheck says they do?
    Traffic(TrafficArgs),
}

#[derive(Debug, Args)]
struct TrafficArgs {
    /// A program to compare with, such as haproxy=/opt/haproxy-3.2; repeatable. Default: those of scripts/install-proxies.
    #[arg(long = "program", value_parser = program, value_name = "DIALECT=PATH")]
    programs: Vec<Program>,
    /// Only scenarios whose name contains this, such as haproxy::ring.
    #[arg(long, default_value = "")]
    scenario: String,
    /// Write the table to docs/verification.md.
    #[arg(long)]
    write: bool,
}

#[derive(Debug, Args)]
struct VerdictArgs {
    /// Only this dialect.
    #[arg(long, value_parser = dialect)]
    dialect: Option<Dialect>,
    /// A program to compare with, such as haproxy=/opt/haproxy-3.2; repeatable. Default: those of scripts/install-proxies.
    #[arg(long = "program", value_parser = program, value_name = "DIALECT=PATH")]
    programs: Vec<Program>,
    /// Mutants for each program.
    #[arg(long, default_value_t = 5000)]
    mutants: usize,
    /// The seed of the mutants.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A folder of further configurations, with verdicts.tsv. Default: LBCHECK_CORPUS.
    #[arg(long)]
    corpus: Option<PathBuf>,
    /// Write every disagreement to this file.
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// Write the table to docs/verification.md.
    #[arg(long)]
    write: bool,
}

fn dialect(text: &str) -> Result<Dialect, String> {
    text.parse().map_err(|_| "expected haproxy, nginx or envoy".to_owned())
}

fn program(text: &str) -> Result<Program, String> {
    let (name, path) = text.split_once('=').ok_or("expected DIALECT=PATH")?;
    Ok(Program { dialect: dialect(name)?, path: path.into() })
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Verdicts(args) => compare_verdicts(&args),
        Command::Diff(args) => compare_changes(&args),
        Command::Traffic(args) => compare_traffic(&args),
    }
}

/// Those that are named, otherwise those of this machine.
fn programs(named: &[Program]) -> Result<Vec<Program>> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let find = |dialect: &Dialect| {
        Program::find(*dialect).with_context(|| format!("no {dialect}: see scripts/install-proxies"))
    };
    Dialect::ALL.iter().map(find).collect()
}

fn compare_traffic(args: &TrafficArgs) -> Result<()> {
    let report = traffic::run_all(&programs(&args.programs)?, &args.scenario, |line| println!("{line}"));
    let table = traffic::markdown(&report)?;
    println!("\n{table}");
    if !report.problems.is_empty() {
        bail!("{} predictions are wrong:\n{}", report.problems.len(), report.problems.join("\n"));
    }
    if args.write {
        page::write("traffic", &table)?;
    }
    Ok(())
}

fn compare_verdicts(args: &VerdictArgs) -> Result<()> {
    let corpus = args.corpus.clone().or_else(|| std::env::var_os("LBCHECK_CORPUS").map(PathBuf::from));
    let programs = programs(&args.programs)?;
    let mut runs = Vec::new();
    for program in programs {
        if args.dialect.is_some_and(|dialect| dialect != program.dialect) {
            continue;
        }
        let mut bases = base::own(program.dialect)?;
        if let Some(folder) = &corpus {
            bases.extend(base::corpus(folder, program.dialect)?);
        }
        let scratch = Scratch::new();
        runs.push(verdicts::run(&program, bases, args.mutants, args.seed, scratch.path())?);
    }
    if runs.is_empty() {
        bail!("nothing to compare with");
    }
    let table = verdicts::markdown(&runs);
    println!("{table}");
    if let Some(path) = &args.list {
        std::fs::write(path, listing(&runs))?;
    }
    if args.write {
        page::write("verdicts", &table)?;
    }
    for run in &runs {
        for short in run.shortfalls() {
            println!("{} {} falls short: {short}", run.dialect, run.version);
        }
    }
    Ok(())
}

fn compare_changes(args: &VerdictArgs) -> Result<()> {
    let corpus = args.corpus.clone().or_else(|| std::env::var_os("LBCHECK_CORPUS").map(PathBuf::from));
    let mut runs = Vec::new();
    for program in programs(&args.programs)? {
        if args.dialect.is_some_and(|dialect| dialect != program.dialect) {
            continue;
        }
        let mut bases = base::own(program.dialect)?;
        if let Some(folder) = &corpus {
            bases.extend(base::corpus(folder, program.dialect)?);
        }
        let scratch = Scratch::new();
        runs.push(changes::run(&program, bases, args.mutants, args.seed, scratch.path())?);
    }
    let table = changes::markdown(&runs);
    println!("{table}");
    let silent: Vec<_> = runs.iter().flat_map(changes::Run::silent).collect();
    if let Some(path) = &args.list {
        let shown = silent.iter().map(|case| format!("{}: {}\n", case.base, case.note));
        std::fs::write(path, shown.collect::<String>())?;
    }
    if args.write {
        page::write("diff", &table)?;
    }
    if !silent.is_empty() {
        bail!("diff is silent about {} edits", silent.len());
    }
    Ok(())
}

/// Every case on which the two differ, with what each said.
fn listing(runs: &[verdicts::Run]) -> String {
    let mut text = String::new();
    for run in runs {
        for case in &run.cases {
            let agreed = matches!(case.class, Class::Accepted | Class::SameLine | Class::Refused);
            if agreed {
                continue;
            }
            let _ = writeln!(
                text,
                "=== {} {} {:?}: {}\n{} ({}): {}\n{}\n",
                run.dialect,
                run.version,
                case.class,
                case.cause,
                case.base,
                case.change.unwrap_or("as it is"),
                case.note,
                case.detail
            );
        }
    }
    text
}
