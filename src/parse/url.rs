//! URLs, typed where rnc takes a host and a port: as much of them as it takes to say what to type
//! instead. RFC 3986, section 3.

/// The parts of a URL that lead to its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Url<'a> {
    /// What stands before `://`.
    pub scheme: &'a str,
    /// The host, an IPv6 address without its brackets.
    pub host: &'a str,
    /// The port, if the URL has one.
    pub port: Option<&'a str>,
}

/// Reads a word as a URL with a host; `None` if it is not one.
pub fn url(word: &str) -> Option<Url<'_>> {
    let (scheme, rest) = word.split_once("://")?;
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    if !scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        || !scheme.bytes().all(is_scheme)
    {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    let (_, place) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (host, port) = match place.strip_prefix('[') {
        Some(v6) => {
            let (host, behind) = v6.split_once(']')?;
            (host, behind.strip_prefix(':'))
        }
        None => place
            .split_once(':')
            .map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let port = port.filter(|port| !port.is_empty());
    (!host.is_empty()).then_some(Url { scheme, host, port })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_parts_that_lead_to_the_server_are_found() {
        for (word, scheme, host, port) in [
            ("http://localhost", "http", "localhost", None),
            ("http://localhost/", "http", "localhost", None),
            ("https://me:x@h:8443/a:b?c#d", "https", "h", Some("8443")),
            ("ws+x://[::1]:80/", "ws+x", "::1", Some("80")),
            ("ftp://[::1]", "ftp", "::1", None),
            ("tcp://h:?x", "tcp", "h", None),
        ] {
            assert_eq!(url(word), Some(Url { scheme, host, port }), "{word}");
        }
    }

    #[test]
    fn other_words_are_none() {
        let words = "|localhost|localhost:80|://h|http:/h|http://|http:///x|http://:80|\
                     1a://h|a b://h|http://[::1";
        for word in words.split('|') {
            assert_eq!(url(word), None, "{word}");
        }
    }

    proptest! {
        #[test]
        fn no_word_panics(word in "[a-z:/@\\[\\]?#0-9]{0,24}") {
            if let Some(url) = url(&word) {
                prop_assert!(!url.host.is_empty() && !url.scheme.is_empty());
            }
        }
    }
}
