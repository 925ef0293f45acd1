//! Lists of cipher suites: those rustls has, by its names, the RFCs', and OpenSSL's.

/// A suite: its name in rustls, and its other one. Those of TLS 1.2 are called by rustls as by the
/// RFCs, those of TLS 1.3 by OpenSSL.
type Suite = (&'static str, &'static str);

/// The suites, the best first.
const SUITES: [Suite; 9] = [
    ("TLS13_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"),
    ("TLS13_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
    (
        "TLS13_CHACHA20_POLY1305_SHA256",
        "TLS_CHACHA20_POLY1305_SHA256",
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "ECDHE-ECDSA-AES128-GCM-SHA256",
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
    ),
    (
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "ECDHE-RSA-CHACHA20-POLY1305",
    ),
];

/// Reads names between commas, colons or spaces, in either case; gives rustls's, each once.
///
/// # Errors
/// The first word that names no suite: an unknown one, or a group such as OpenSSL's `HIGH`, which
/// is not taken for any suites, lest it mean other ones than there.
pub fn ciphers(list: &str) -> Result<Vec<&'static str>, &str> {
    let mut names = Vec::new();
    for word in list.split([',', ':', ' ']) {
        let is_called = |suite: &&Suite| {
            suite.0.eq_ignore_ascii_case(word) || suite.1.eq_ignore_ascii_case(word)
        };
        let (name, _) = SUITES.iter().find(is_called).ok_or(word)?;
        if !names.contains(name) {
            names.push(*name);
        }
    }
    Ok(names)
}

/// All there are, by their names in rustls.
pub fn all() -> impl Iterator<Item = &'static str> {
    SUITES.iter().map(|(name, _)| *name)
}

/// Returns whether a suite, by its name in rustls, is one of TLS 1.3; else it is one of TLS 1.2.
pub fn is_tls13(name: &str) -> bool {
    name.starts_with("TLS13_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_have_three_names_and_are_listed_once() {
        let wanted = vec![
            "TLS13_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        ];
        for list in [
            "TLS13_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256",
            "tls_aes_128_gcm_sha256 ecdhe-rsa-aes128-gcm-sha256",
            "TLS_AES_128_GCM_SHA256:TLS13_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256",
        ] {
            assert_eq!(ciphers(list).as_ref(), Ok(&wanted), "{list}");
        }
        assert_eq!(wanted.iter().filter(|name| is_tls13(name)).count(), 1);
    }

    #[test]
    fn the_word_that_names_none_is_given_back() {
        for (list, word) in [
            ("HIGH", "HIGH"),
            ("TLS_AES_128_GCM_SHA256:!aNULL", "!aNULL"),
            ("AES128-SHA", "AES128-SHA"),
            ("TLS_AES_128_GCM_SHA256,", ""),
            ("", ""),
        ] {
            assert_eq!(ciphers(list), Err(word), "{list}");
        }
    }
}
