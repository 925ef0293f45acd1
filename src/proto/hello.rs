//! The first bytes of TLS, as far as they tell that it is TLS.

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

#[cfg(test)]
mod tests {
    use super::*;

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
