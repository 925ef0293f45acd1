//! Challenges of HTTP authentication, and the credentials that answer them. RFC 9110, section 11.

use super::super::base64::base64;
use super::super::{Login, Refused};
use super::digest::{self, Digest};

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
        known.reduce(|best, next| match next.strength() > best.strength() {
            true => next,
            false => best,
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

/// Says whether a login can be sent at all.
///
/// # Errors
/// [`Refused::Request`] for a user with a colon (RFC 7617, section 2) or a control character.
pub fn check(login: &Login) -> Result<(), Refused> {
    if login.user.contains(':') {
        return Err(Refused::Request("colon in the user name for HTTP"));
    }
    match login.user.contains(char::is_control) {
        true => Err(Refused::Request(
            "control character in the user name for HTTP",
        )),
        false => Ok(()),
    }
}

/// The parameters of a challenge: names in lower case, and values without their quotes.
#[derive(Default)]
pub struct Params(Vec<(Vec<u8>, Vec<u8>)>);

impl Params {
    /// The first value of this name.
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        let found = self.0.iter().find(|(known, _)| known == name.as_bytes());
        found.map(|(_, value)| value.as_slice())
    }

    /// Says whether this name has the value `true`.
    pub fn is_true(&self, name: &str) -> bool {
        self.value(name)
            .is_some_and(|value| value.eq_ignore_ascii_case(b"true"))
    }

    /// Takes in `name=value`; whatever else it is, is passed over.
    fn push(&mut self, item: &[u8]) {
        let (name, behind) = split_token(item);
        let value = behind.trim_ascii_start().strip_prefix(b"=");
        let value = value.and_then(|value| unquoted(value.trim_ascii()));
        if let Some(value) = value.filter(|_| !name.is_empty()) {
            self.0.push((name.to_ascii_lowercase(), value));
        }
    }
}

/// A challenge as it stands in the field.
struct Offer {
    scheme: Vec<u8>,
    params: Params,
}

/// Takes the challenges of one field value apart. Commas stand between challenges as well as
/// between the parameters of one: a new one begins with a word that no `=` follows. RFC 9110,
/// section 11.6.1.
fn offers(value: &[u8]) -> Vec<Offer> {
    let mut offers: Vec<Offer> = Vec::new();
    for item in items(value) {
        let (word, behind) = split_token(item);
        let is_param = behind.trim_ascii_start().starts_with(b"=");
        match offers.last_mut() {
            Some(offer) if is_param => offer.params.push(item),
            _ if is_param || word.is_empty() => {}
            _ => {
                let mut params = Params::default();
                params.push(behind.trim_ascii_start());
                let scheme = word.to_vec();
                offers.push(Offer { scheme, params });
            }
        }
    }
    offers
}

/// Splits a list at the commas that are not in quotes. RFC 9110, section 5.6.1.
fn items(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut in_quotes, mut is_escaped) = (false, false);
    let items = value.split(move |&byte| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match byte {
            _ if was_escaped => {}
            b'\\' => is_escaped = in_quotes,
            b'"' => in_quotes = !in_quotes,
            b',' => return !in_quotes,
            _ => {}
        }
        false
    });
    items
        .map(<[u8]>::trim_ascii)
        .filter(|item| !item.is_empty())
}

/// Splits off the token at the front, which may be empty. RFC 9110, section 5.6.2.
fn split_token(text: &[u8]) -> (&[u8], &[u8]) {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let len = text.iter().take_while(|byte| is_token(byte)).count();
    text.split_at(len)
}

/// A token, or what a quoted string says (RFC 9110, section 5.6.4); `None` if its end is missing.
fn unquoted(text: &[u8]) -> Option<Vec<u8>> {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        return Some(text.to_vec());
    };
    let mut bytes = quoted.iter();
    let mut value = Vec::new();
    loop {
        match bytes.next()? {
            b'"' => return Some(value),
            b'\\' => value.push(*bytes.next()?),
            byte => value.push(*byte),
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
