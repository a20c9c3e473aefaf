//! What is known of one property of a request.

/// A property of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// It has these bytes; several where the proxy tries each of them.
    Known(Vec<Vec<u8>>),
    /// Not known, for this reason.
    Unknown(String),
}

impl Value {
    pub(crate) fn one(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Known(vec![bytes.into()])
    }

    pub(crate) fn absent() -> Self {
        Self::Known(Vec::new())
    }

    /// The one, or none.
    pub(crate) fn maybe(bytes: Option<impl Into<Vec<u8>>>) -> Self {
        bytes.map_or_else(Self::absent, Self::one)
    }

    pub(crate) fn not_given(what: &str) -> Self {
        Self::Unknown(format!("{what} not given"))
    }

    /// What the request says, or that `what` is not given.
    pub(crate) fn given(text: Option<&str>, what: &str) -> Self {
        text.map_or_else(|| Self::not_given(what), Self::one)
    }

    /// The first, empty where there is none.
    pub(crate) fn first(&self) -> Result<&[u8], &str> {
        match self {
            Self::Known(values) => Ok(values.first().map(Vec::as_slice).unwrap_or_default()),
            Self::Unknown(why) => Err(why),
        }
    }
}

/// The proxy's own answer to a request that it does not pass on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// `None`: it differs between versions.
    pub(crate) status: Option<u16>,
    /// What it is about.
    pub(crate) why: &'static str,
}

impl Refused {
    pub(crate) fn for_path(status: u16) -> Self {
        Self { status: Some(status), why: "because of the path" }
    }
}
