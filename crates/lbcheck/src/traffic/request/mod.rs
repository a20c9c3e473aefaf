//! Which route a request takes, in three-valued logic.

mod change;
mod evaluate;
mod explain;
mod find;
mod likelihood;
mod listeners;
pub(super) mod pattern;
mod recipe;
mod restored_address;
pub(super) mod sent;
pub(super) mod value;
pub(super) mod view;
mod walk;

pub use evaluate::WhyUnknown;
pub use explain::{EndKind, EndWords, ListenerRoute, RouteReport, StepWords, explain};
pub use find::{Finder, find, holds};
pub use sent::Request;
pub use walk::{Decision, End, RouteOutcome, RouteStep, Rules, route};
