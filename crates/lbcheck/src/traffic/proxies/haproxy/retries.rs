//! What HAProxy's retries do while a failure is not noticed.

use crate::model::{Algorithm, HashTable, Pool};
use crate::traffic::scenario::attempts::{Attempts, Exposed, Retried};
use crate::traffic::shares::Certainty;

/// Whether a retry can find another server.
enum Elsewhere {
    /// At once.
    Yes,
    /// It asks the same table and gets the same server.
    No,
    /// Not known.
    Perhaps,
}

fn elsewhere(pool: &Pool) -> Elsewhere {
    match (&pool.retries.redispatch, &pool.algorithm.value) {
        (None, _) => Elsewhere::No,
        // The map is asked for the same key again, and knows nothing of the failure.
        (Some(_), Algorithm::Hash { table: HashTable::Map, .. }) => Elsewhere::No,
        (Some(_), Algorithm::First) => Elsewhere::Perhaps,
        (Some(_), _) => Elsewhere::Yes,
    }
}

pub(super) fn retried(exposed: &Exposed<'_>, bounds: &Attempts) -> Retried {
    let &Exposed { pool, failed, serving, hit } = exposed;
    let all = 1.0 + hit * bounds.retries();
    match elsewhere(pool) {
        Elsewhere::Yes if serving > 1 && failed == 1 => match pool.algorithm.value {
            // Round robin goes elsewhere at once; consistent hashing only with the last retry.
            Algorithm::Hash { .. } => Retried { errors: 0.0, attempts: all, certainty: Certainty::Range },
            _ => Retried { errors: 0.0, attempts: 1.0 + hit, certainty: Certainty::Expected },
        },
        // A redispatched request may meet another server that is down.
        Elsewhere::Yes | Elsewhere::Perhaps if serving > 1 => {
            Retried { errors: hit, attempts: all, certainty: Certainty::Range }
        }
        _ => Retried { errors: hit, attempts: all, certainty: Certainty::Exact },
    }
}
