use std::time::Duration;

use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::{BareTimes, Dialect, Dialects};
use crate::model::{TimeKind, TimeUnit, WrittenTime};

pub(super) static RULE: Rule = Rule {
    id: RuleId::TimeoutUnitSuspicious,
    summary: "A time whose number only makes sense in another unit",
    category: Category::Limits,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("timeout_unit_suspicious.md"),
    check: Check::Config(check),
};

/// What HAProxy 3.2 itself calls suspiciously small: it warns of 99 and not of 100.
const LEAST_BARE_MILLIS: Duration = Duration::from_millis(100);
/// What nginx's manual says a connection attempt cannot usually exceed.
const LONGEST_CONNECT: Duration = Duration::from_secs(75);
/// Whoever waits longer than this for one answer says so in hours.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
const DAY: u64 = 86_400;

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let dialect = context.config.dialect;
    for time in &context.config.times {
        match dialect.description().bare_times {
            BareTimes::Milliseconds => milliseconds(time, dialect, sink),
            BareTimes::Seconds => seconds(time, dialect, sink),
        }
    }
}

/// Languages that count in milliseconds: a number of seconds comes out a thousand times too short.
fn milliseconds(time: &WrittenTime, dialect: Dialect, sink: &mut Sink<'_>) {
    if time.unit != TimeUnit::Assumed || time.value.is_zero() || time.value >= LEAST_BARE_MILLIS {
        return;
    }
    let (name, number, product) = (&time.name, time.value.as_millis(), dialect.product());
    let message =
        format!("`{name} {number}` is {number} milliseconds: {product} takes a number without a unit so");
    let help = format!("write `{name} {number}s` if seconds are meant, `{name} {number}ms` if not");
    sink.push(sink.finding(time.span, message).label(format!("{number} ms")).help(help));
}

/// Languages that count in seconds: a number of milliseconds comes out a thousand times too long.
fn seconds(time: &WrittenTime, dialect: Dialect, sink: &mut Sink<'_>) {
    let seconds = time.value.as_secs();
    let longest = if time.kind == TimeKind::Connect { LONGEST_CONNECT } else { LONGEST_WAIT };
    let suspicious = match time.unit {
        TimeUnit::Written => false,
        TimeUnit::Only => time.value > longest,
        TimeUnit::Assumed => {
            let hours = seconds.is_multiple_of(3600) && seconds <= DAY;
            time.value > longest && seconds.is_multiple_of(1000) && !hours
        }
    };
    if !suspicious {
        return;
    }
    let (name, product) = (&time.name, dialect.product());
    let message = format!("`{name}` is {}: {product} counts in seconds", in_words(seconds));
    // Where seconds are the only unit, a whole number of them or a fraction.
    let meant = match (time.unit, seconds % 1000) {
        (TimeUnit::Only, 0) => format!("{}s", seconds / 1000),
        (TimeUnit::Only, _) => format!("{}s", seconds as f64 / 1000.0),
        _ => format!("{seconds}ms"),
    };
    let help = format!("write `{meant}` if milliseconds are meant");
    sink.push(sink.lesser(time.span, message).help(help));
}

fn in_words(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} seconds"),
        120..7200 => format!("{} minutes", seconds / 60),
        _ => format!("{} hours", seconds / 3600),
    }
}
