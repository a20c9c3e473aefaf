//! `lbcheck.model/v1`, the model as `model` prints it.

use lbcheck::model as lb;
use serde::Serialize;

use super::{Input, Tool};
use crate::view::View;

/// What `lbcheck model` prints.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Model {
    /// `lbcheck.model/v1`.
    pub schema: &'static str,
    /// The program that wrote it.
    pub tool: Tool,
    /// The configurations that were read.
    pub configurations: Vec<Configuration>,
}

/// One configuration.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Configuration {
    /// What was read.
    pub input: Input,
}

impl Configuration {
    pub(crate) fn new(_view: &View<'_>, input: Input, _config: &lb::Config) -> Self {
        Self { input }
    }
}
