//! How HAProxy reads a request.

use crate::traffic::request::value::Value;
use crate::traffic::request::view::{RequestReader, RequestView, parameters};

impl RequestReader for super::HaProxy {
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

    /// Values without `=` are none; each occurrence is tried.
    fn parameter(&self, query: &[u8], name: &str) -> Value {
        let found = parameters(query, b"&;?").filter(|(known, _)| *known == name.as_bytes());
        Value::Known(found.filter_map(|(_, value)| Some(value?.to_vec())).collect())
    }

    /// One without a value is none.
    fn cookie(&self, cookies: &[(&str, &str)], name: &str) -> Value {
        let found = cookies.iter().filter(|(cookie, value)| *cookie == name && !value.is_empty());
        Value::Known(found.map(|(_, value)| value.as_bytes().to_vec()).collect())
    }
}
