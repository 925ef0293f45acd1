//! What `--version` prints: which rnc this is, for fault reports.

/// What TLS is made of, as a literal.
#[cfg(feature = "tls")]
macro_rules! tls_provider {
    () => {
        "rustls with ring"
    };
}
#[cfg(not(feature = "tls"))]
macro_rules! tls_provider {
    () => {
        "none"
    };
}

/// The version, the commit where the build script knows it, the TLS provider and the target.
pub const LONG: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    env!("RNC_COMMIT"),
    "\nTLS: ",
    tls_provider!(),
    "\nTarget: ",
    env!("RNC_TARGET"),
);
