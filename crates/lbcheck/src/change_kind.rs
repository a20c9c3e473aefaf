//! The kinds of changes that a diff reports, closed so that scripts can rely on them.

use std::fmt;

macro_rules! kinds {
    ($($variant:ident $id:literal,)*) => {
        /// What kind of thing changed: `pool-added`, `weight-changed`, …
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ChangeKind {
            $(
                #[doc = concat!("`", $id, "`")]
                $variant,
            )*
        }

        impl ChangeKind {
            /// Every kind, in alphabetical order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The kind in kebab case, as reports write it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $id,)*
                }
            }
        }
    };
}

kinds! {
    AddressChanged "address-changed",
    AlgorithmChanged "algorithm-changed",
    EndpointAdded "endpoint-added",
    EndpointRemoved "endpoint-removed",
    EndpointRenamed "endpoint-renamed",
    EndpointsReordered "endpoints-reordered",
    HealthCheckChanged "health-check-changed",
    LimitChanged "limit-changed",
    ListenerAdded "listener-added",
    ListenerChanged "listener-changed",
    ListenerRemoved "listener-removed",
    LocalityChanged "locality-changed",
    MembershipChanged "membership-changed",
    ModeChanged "mode-changed",
    OutlierDetectionChanged "outlier-detection-changed",
    PoolAdded "pool-added",
    PoolRemoved "pool-removed",
    PoolRenamed "pool-renamed",
    RetriesChanged "retries-changed",
    RouteAdded "route-added",
    RouteChanged "route-changed",
    RouteRemoved "route-removed",
    RoutesReordered "routes-reordered",
    StateChanged "state-changed",
    StickinessChanged "stickiness-changed",
    TierChanged "tier-changed",
    TimeoutChanged "timeout-changed",
    TlsChanged "tls-changed",
    WeightChanged "weight-changed",
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
