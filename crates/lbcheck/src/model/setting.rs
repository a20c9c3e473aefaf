//! A value and where it comes from.

use crate::source::Span;

/// Where an effective value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Origin {
    /// Written on the object itself.
    Written(Span),
    /// Written elsewhere and inherited: `defaults`, `default-server`, `http {}`.
    Inherited(Span),
    /// Written nowhere: the product's default, with its source ("HAProxy 3.2: roundrobin").
    Default(&'static str),
}

/// An effective value with its origin.
///
/// Two settings are *equal in effect* when their values are; `PartialEq` compares both parts, so
/// a comparison of behaviour must use `value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Setting<T> {
    /// The value the product uses.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

impl<T> Setting<T> {
    /// A value written on the object itself.
    pub fn written(value: T, span: Span) -> Self {
        Self { value, origin: Origin::Written(span) }
    }

    /// A value inherited from `span`.
    pub fn inherited(value: T, span: Span) -> Self {
        Self { value, origin: Origin::Inherited(span) }
    }

    /// The product's default; `note` names product, version and value.
    pub fn default(value: T, note: &'static str) -> Self {
        Self { value, origin: Origin::Default(note) }
    }

    /// Where the value is written, if anywhere.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        match self.origin {
            Origin::Written(span) | Origin::Inherited(span) => Some(span),
            Origin::Default(_) => None,
        }
    }

    /// Whether anybody wrote the value, here or where it is inherited from.
    #[must_use]
    pub fn is_explicit(&self) -> bool {
        !matches!(self.origin, Origin::Default(_))
    }
}
