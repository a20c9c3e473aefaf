//! How HAProxy reads a request.

use crate::model::Normalization;
use crate::traffic::request::value::{Refused, Value};
use crate::traffic::request::view::{RequestReader, RequestView};

impl RequestReader for super::HaProxy {
    fn normalized_path(&self, _: &str, _: &Normalization) -> Option<Result<Value, Refused>> {
        None
    }

    fn host(&self, view: &RequestView) -> Value {
        Value::given(view.request.host.as_deref(), "the host is")
    }

    /// Every comma separates values, each of which is tried.
    fn header(&self, view: &RequestView, name: &str) -> Value {
        match view.values(|header| header.eq_ignore_ascii_case(name)) {
            Ok(lines) => {
                let values = lines.into_iter().flat_map(|line| line.split(','));
                Value::Known(values.map(|value| value.trim().as_bytes().to_vec()).collect())
            }
            Err(unknown) => unknown,
        }
    }

    fn target(&self, view: &RequestView) -> Value {
        view.path_and_query()
    }

    /// Values without `=` are none; each occurrence is tried.
    fn parameter(&self, query: &[u8], name: &str) -> Value {
        let pairs = query.split(|byte| matches!(byte, b'&' | b';' | b'?')).filter_map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=')?;
            Some((&pair[..at], &pair[at + 1..]))
        });
        let found = pairs.filter(|(known, _)| *known == name.as_bytes());
        Value::Known(found.map(|(_, value)| value.to_vec()).collect())
    }

    /// One without a value is none.
    fn cookie(&self, cookies: &[(&str, &str)], name: &str) -> Value {
        let found = cookies.iter().filter(|(cookie, value)| *cookie == name && !value.is_empty());
        Value::Known(found.map(|(_, value)| value.as_bytes().to_vec()).collect())
    }
}
