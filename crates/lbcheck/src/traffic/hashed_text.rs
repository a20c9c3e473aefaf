//! What text a pool hashes, for people who have keys: often it is not what stands in the request.

use super::proxies::proxy;
use crate::model::{Algorithm, Config, HashKey, PoolId};

/// What a key of this pool is, where that is not simply the value the configuration names; a part of a sentence.
#[must_use]
pub fn hashed_text(config: &Config, id: PoolId) -> Option<String> {
    let Algorithm::Hash { key, .. } = &config.pool(id).algorithm.value else { return None };
    match key {
        HashKey::Constant(_) => Some("anything, since the same text is hashed for every request".into()),
        HashKey::Source => None,
        _ => proxy(config.dialect).hashed_text(config, id, key),
    }
}
