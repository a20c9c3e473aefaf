//! What becomes of a pool's traffic when endpoints fail or load grows.
//!
//! ```text
//! Scenario ──► run ──► ScenarioOutcome
//!   failed             shares before and after, who takes over, each survivor's multiple of its normal load,
//!   load               when failure is noticed and what happens until then, attempts per request,
//!   concurrency        what is full first, what waits and what is refused, the cascade
//! ```
//!
//! All figures are about one pool and steady states. [`worst_loss`] tries every single loss.

pub(super) mod attempts;
mod cascade;
mod detection;
mod limits;
mod question;
mod retry;
mod run;
mod tracking;
mod worst_loss;

pub use attempts::{Attempts, Unnoticed};
pub use cascade::{Cascade, CascadeEnd, CascadeStep};
pub use detection::{Back, Detection, Noticed, Since, ejectable};
pub use limits::{Demand, Full, LimitKind, room};
pub(super) use question::without;
pub use question::{Capacity, Scenario};
pub use run::{ScenarioOutcome, run};
pub(super) use tracking::followers;
pub use worst_loss::{Loss, worst_loss};

#[cfg(test)]
mod tests;
