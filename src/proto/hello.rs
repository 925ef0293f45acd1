//! The first bytes of TLS, as far as they show that it is TLS.

/// ContentType of a record with an alert. RFC 8446, section 5.1.
const ALERT: u8 = 21;
/// Bytes of a record with an alert that is not encrypted: five of the record, then the level and
/// the description. RFC 8446, sections 5.1 and 6.
pub const ALERT_BYTES: u64 = 7;
/// ContentType of a record with handshake messages. RFC 8446, section 5.1.
const HANDSHAKE: u8 = 22;
/// HandshakeType. RFC 8446, section 4.
const CLIENT_HELLO: u8 = 1;
/// The first byte of all versions since SSL 3.0. RFC 8446, section 5.1.
const MAJOR: u8 = 3;

/// Whether the first bytes of a connection begin a ClientHello: TLS, where perhaps something else
/// was expected. Fewer than six never do.
pub fn is_client_hello(first: &[u8]) -> bool {
    match first {
        [HANDSHAKE, MAJOR, minor, _, _, CLIENT_HELLO, ..] => *minor <= 4,
        _ => false,
    }
}

/// Returns whether the first bytes of a connection begin an alert: the peer speaks TLS, and was
/// spoken to in something else.
pub fn is_alert(first: &[u8]) -> bool {
    matches!(first, [ALERT, MAJOR, 0..=4, 0, 2, 1 | 2, _, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_known_by_seven_bytes() {
        let alert = [21, 3, 3, 0, 2, 2, 50];
        assert!(is_alert(&alert));
        for short in 0..7 {
            assert!(!is_alert(&alert[..short]));
        }
        for at in 0..6 {
            let mut other = alert;
            other[at] = 9;
            assert!(!is_alert(&other), "{at}");
        }
    }

    #[test]
    fn a_client_hello_is_known_by_six_bytes() {
        let hello = [22, 3, 1, 2, 0, 1, 0, 1];
        assert!(is_client_hello(&hello));
        assert!(is_client_hello(&hello[..6]));
        for short in 0..6 {
            assert!(!is_client_hello(&hello[..short]));
        }
        // The version, the type of the record, that of the message: one after the other is other.
        for at in [0, 1, 5] {
            let mut other = hello;
            other[at] = 9;
            assert!(!is_client_hello(&other), "{at}");
        }
        assert!(!is_client_hello(b"GET / HTTP/1.1"));
    }
}
