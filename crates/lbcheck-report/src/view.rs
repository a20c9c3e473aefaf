//! The sources as an output may show them.

use std::borrow::Cow;

use lbcheck::diagnostic::Diagnostic;
use lbcheck::source::{Position, Sources, Span};

use crate::clean::clean;
use crate::mask::{self, Secrets};

/// A name or value of a configuration, clean and without the secrets that show by their own form.
pub(crate) fn show(text: &str) -> Cow<'_, str> {
    match mask::plain(text) {
        Cow::Borrowed(text) => clean(text),
        Cow::Owned(text) => Cow::Owned(clean(&text).into_owned()),
    }
}

/// The sources of a run with what must not be shown of them. Make one and render every format with it.
pub struct View<'a> {
    sources: &'a Sources,
    secrets: Secrets,
}

/// A place as users see it: first character and one past the last, in one file.
pub(crate) struct Place<'a> {
    pub(crate) file: Cow<'a, str>,
    pub(crate) start: Position,
    pub(crate) end: Position,
}

/// A text about a place, without the secrets that stand on its lines, and with nothing in it that a terminal would act
/// on.
#[must_use]
pub fn said(view: &View<'_>, span: Span, text: &str) -> String {
    view.words(&view.say_at([span], text))
}

impl<'a> View<'a> {
    /// Looks through `sources` for secrets once.
    #[must_use]
    pub fn new(sources: &'a Sources) -> Self {
        Self { sources, secrets: Secrets::new(sources) }
    }

    pub(crate) fn sources(&self) -> &'a Sources {
        self.sources
    }

    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    pub(crate) fn place(&self, span: Span) -> Place<'a> {
        let file = self.sources.file(span.file);
        Place { file: clean(file.path()), start: file.position(span.start), end: file.position(span.end) }
    }

    /// A text of `diagnostic`, clean and without the secrets that stand on the lines it points at.
    pub(crate) fn say<'t>(&self, diagnostic: &Diagnostic, text: &'t str) -> Cow<'t, str> {
        let spans = std::iter::once(&diagnostic.primary).chain(&diagnostic.related).map(|label| label.span);
        self.say_at(spans, text)
    }

    /// `text`, clean and without the secrets that stand on the lines of `spans`.
    pub(crate) fn say_at<'t>(&self, spans: impl IntoIterator<Item = Span>, text: &'t str) -> Cow<'t, str> {
        match self.secrets.hide(self.sources, spans, text) {
            Some(hidden) => Cow::Owned(show(&hidden).into_owned()),
            None => show(text),
        }
    }

    /// The dialect's own words, clean and without the secrets in them.
    pub(crate) fn words(&self, text: &str) -> String {
        clean(&mask::hidden(text)).into_owned()
    }
}
