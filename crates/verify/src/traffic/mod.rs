//! Where traffic goes: lbcheck's predictions beside what running proxies do.
//!
//! ```text
//! Scenario ──► fill ──► text ──► lbcheck::traffic ──► Predicted ─┐
//!                        └─────► Proxy, Backends ──► Measured ───┴──► Row
//! ```
//!
//! The text that is predicted from is the text that runs. What has to hold is part of the scenario; how far chance
//! may carry a count is computed from the prediction and the number of requests, and nothing is tuned.

pub mod arena;
pub mod backend;
pub mod cascade;
pub mod client;
pub mod command;
pub mod measure;
pub mod predict;
pub mod proxy;
pub mod run;
pub mod scenario;
pub mod scenarios;
pub mod statistics;
pub mod timing;
