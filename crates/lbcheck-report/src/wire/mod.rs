//! The wire formats: types of their own, versioned by name, and nothing else is ever serialised.
//!
//! Within a version fields may be added; none is renamed, removed or given another meaning.

mod diff;
mod model;
mod report;
mod route;
mod rules;
mod traffic;

pub use diff::*;
pub use model::*;
pub use report::*;
pub use route::*;
pub use rules::*;
pub use traffic::*;
