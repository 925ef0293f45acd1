//! Challenges of HTTP authentication, and the credentials that answer them. RFC 9110, section 11.

use super::super::base64::base64;
use super::digest::{self, Digest};
use super::login::Login;
use super::params::{Offer, offers};

/// A challenge that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// Wants the password itself. RFC 7617.
    Basic,
    /// Wants a proof that the password is known. RFC 7616.
    Digest(Digest),
}

impl Challenge {
    /// The strongest challenge in the values of Proxy-Authenticate fields, of equals the first;
    /// `None` if none of them can be answered.
    pub fn strongest(values: &[Vec<u8>]) -> Option<Challenge> {
        let offers = values.iter().flat_map(|value| offers(value));
        let known = offers.filter_map(Challenge::read);
        known.reduce(|best, next| {
            if next.strength() > best.strength() {
                next
            } else {
                best
            }
        })
    }

    fn read(offer: Offer) -> Option<Challenge> {
        match offer.scheme.to_ascii_lowercase().as_slice() {
            b"basic" => Some(Challenge::Basic),
            b"digest" => Digest::read(&offer.params).map(Challenge::Digest),
            _ => None,
        }
    }

    fn strength(&self) -> u8 {
        match self {
            Challenge::Basic => 0,
            Challenge::Digest(digest) => 1 + digest.strength(),
        }
    }

    /// The value of Proxy-Authorization that answers it for a request.
    pub fn credentials(&self, login: &Login, request: &digest::Request<'_>) -> Vec<u8> {
        match self {
            Challenge::Basic => {
                let pair = format!("{}:{}", login.user, login.password);
                format!("Basic {}", base64(pair.as_bytes())).into_bytes()
            }
            Challenge::Digest(digest) => digest.credentials(login, request),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn strongest(values: &[&str]) -> Option<Challenge> {
        let values: Vec<Vec<u8>> = values.iter().map(|value| value.as_bytes().into()).collect();
        Challenge::strongest(&values)
    }

    fn algorithm(values: &[&str]) -> Option<String> {
        match strongest(values)? {
            Challenge::Basic => Some("Basic".into()),
            Challenge::Digest(digest) => Some(digest.algorithm().into()),
        }
    }

    #[test]
    fn the_strongest_that_is_known_is_chosen() {
        let md5 = r#"Digest realm="r", nonce="n", qop="auth", algorithm=MD5"#;
        let sha = r#"Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256"#;
        let sess = r#"digest realm="r",nonce="n",qop=auth,algorithm=sha-256-sess"#;
        let new = r#"Digest realm="r", nonce="n", qop="auth", algorithm=SHA-512-256"#;
        let integrity = r#"Digest realm="r", nonce="n", qop="auth-int""#;
        let plain = r#"Basic realm="a, Digest b", charset="UTF-8""#;
        let cases: [(&[&str], Option<&str>); 11] = [
            (&[plain], Some("Basic")),
            (&[md5, plain], Some("MD5")),
            (&[plain, md5, sha], Some("SHA-256")),
            (&[sha, md5], Some("SHA-256")),
            (&[sess, sha], Some("SHA-256-sess")),
            (&[new, plain], Some("Basic")),
            (&[new], None),
            (&[integrity], None),
            (&["NTLM TlRMTVNTUAAC==", "Negotiate"], None),
            (&["Negotiate, NTLM, BASIC"], Some("Basic")),
            (&["", ",,", "=", "realm=\"x\""], None),
        ];
        for (values, wanted) in cases {
            assert_eq!(algorithm(values).as_deref(), wanted, "{values:?}");
        }
        // All in one field, too.
        let joined = [plain, "NTLM YWJj=", md5, "Negotiate"].join(" ,, ");
        assert_eq!(algorithm(&[&joined]).as_deref(), Some("MD5"));
    }

    #[test]
    fn quotes_keep_commas_and_escapes() {
        let offers = offers(br#"Digest realm = "a\"b,\\c" , nonce=n1,Basic"#);
        let params = &offers[0].params;
        assert_eq!(params.value("realm"), Some(&br#"a"b,\c"#[..]));
        assert_eq!(params.value("nonce"), Some(&b"n1"[..]));
        assert_eq!(
            (offers.len(), offers[1].scheme.as_slice()),
            (2, &b"Basic"[..])
        );
        assert!(strongest(&[r#"Digest realm="r", nonce="open"#]).is_none());
    }

    #[test]
    fn basic_is_that_of_rfc_7617() {
        // The credentials of section 2.
        let login = Login {
            user: "Aladdin".into(),
            password: "open sesame".into(),
        };
        let request = digest::Request {
            method: "CONNECT",
            uri: "h:443",
            count: 1,
            cnonce: "c",
        };
        assert_eq!(
            Challenge::Basic.credentials(&login, &request),
            b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(value: Vec<u8>, near in r#"(Digest|Basic)?[ a-z",=\\]{0,40}"#) {
            let _ = Challenge::strongest(&[value, near.into_bytes()]);
        }

        #[test]
        fn whatever_is_quoted_comes_out_again(realm in r#"[ -~]{0,20}"#) {
            let quoted: String = realm
                .chars()
                .flat_map(|c| [Some('\\').filter(|_| "\"\\".contains(c)), Some(c)])
                .flatten()
                .collect();
            let value = format!(r#"Digest nonce=n, realm="{quoted}", qop=auth"#);
            let offers = offers(value.as_bytes());
            prop_assert_eq!(offers[0].params.value("realm"), Some(realm.as_bytes()));
        }
    }
}
