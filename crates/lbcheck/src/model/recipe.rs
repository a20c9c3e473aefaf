//! Names that are put together from a request.

use std::sync::Arc;

/// How the name of a pool is put together from a request (HAProxy `use_backend %[…]`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Recipe {
    /// What it is made of, in order.
    pub parts: Vec<RecipePart>,
}

/// A part of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum RecipePart {
    /// This text.
    Text(String),
    /// A property of the request, changed step by step. Where the request lacks it, or a step finds nothing, the part is
    /// empty.
    Sample {
        /// The property.
        of: Sampled,
        /// What is made of it.
        steps: Vec<SampleStep>,
    },
}

/// A property of a request as one text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Sampled {
    /// Always this.
    Constant(String),
    /// The host as it came.
    Host,
    /// The path, without query string.
    Path,
    /// The path with its query string.
    Target,
    /// The method.
    Method,
    /// The last value of a header, by lower-case name; commas separate values.
    Header(String),
    /// The last line of a header.
    HeaderLine(String),
    /// The first query parameter of this name.
    Query(String),
    /// The last cookie of this name.
    Cookie(String),
    /// TLS server name.
    Sni,
    /// Client address.
    Source,
    /// Destination port.
    Port,
}

/// A change of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum SampleStep {
    /// To lower case.
    Lower,
    /// To upper case.
    Upper,
    /// Without the port, in lower case.
    HostOnly,
    /// What stands between two delimiters, counted from 1, or from the end if below 0.
    Field {
        /// Which one.
        index: i64,
        /// Any of these separates.
        delimiters: String,
    },
    /// The same, where delimiters in a row count as one.
    Word {
        /// Which one.
        index: i64,
        /// Any of these separates.
        delimiters: String,
    },
    /// The value of the first key of a map that fits.
    Map {
        /// When a key fits.
        fits: KeyFits,
        /// Keys and values in the order of the file.
        entries: Arc<[(String, String)]>,
        /// The value where no key fits.
        default: Option<String>,
    },
}

/// When the key of a map fits a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum KeyFits {
    /// It is the text.
    Exactly,
    /// The text starts with it. The longest such key counts.
    LongestPrefix,
    /// The text ends with it.
    Suffix,
    /// The text contains it.
    Contains,
    /// The text contains it between slashes.
    Segment,
    /// The text contains it between dots and slashes.
    Label,
    /// It is a regular expression that the text matches.
    Regex,
}
