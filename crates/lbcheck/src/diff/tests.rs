//! Cases of comparison, see also the pages of the change rules.
