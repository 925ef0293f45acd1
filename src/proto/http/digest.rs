//! The Digest scheme of HTTP authentication: the password is proven, not sent. RFC 7616, with
//! `qop=auth`, and as RFC 2069 had it for proxies that do not name a `qop`.

use super::login::Login;
use super::params::Params;
use md5::Md5;
use sha2::Sha256;
use sha2::digest::Digest as _;

/// A challenge. RFC 7616, section 3.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    realm: Vec<u8>,
    nonce: Vec<u8>,
    opaque: Option<Vec<u8>>,
    algorithm: Algorithm,
    /// The challenge names its algorithm, so the answer does.
    names_algorithm: bool,
    /// `qop=auth` is offered; else the answer is that of RFC 2069.
    has_qop: bool,
    is_stale: bool,
    hashes_user: bool,
}

/// What the answer to a challenge is for.
pub struct Request<'a> {
    /// The method of the request.
    pub method: &'a str,
    /// Its target, as it stands in the request line.
    pub uri: &'a str,
    /// How many requests have answered this nonce, this one counted.
    pub count: u32,
    /// Our own nonce: random, of letters and digits.
    pub cnonce: &'a str,
}

impl Digest {
    /// Reads the parameters of a challenge; `None` if it cannot be answered.
    pub fn read(params: &Params) -> Option<Digest> {
        let algorithm = params.value("algorithm");
        let qop = params.value("qop");
        let opaque = params.value("opaque");
        let digest = Digest {
            realm: safe(params.value("realm")?)?,
            nonce: safe(params.value("nonce")?)?,
            opaque: opaque.and_then(safe),
            names_algorithm: algorithm.is_some(),
            algorithm: Algorithm::read(algorithm.unwrap_or(b"MD5"))?,
            has_qop: qop.is_some(),
            is_stale: params.is_true("stale"),
            hashes_user: params.is_true("userhash"),
        };
        // RFC 2069 has no client nonce, which a session needs.
        let can_be_answered = match qop {
            Some(offered) => has_auth(offered),
            None => !digest.algorithm.is_sess,
        };
        can_be_answered.then_some(digest)
    }

    /// How strong the hash is, and whether replies are bound to one request.
    pub fn strength(&self) -> u8 {
        let hash = match self.algorithm.hash {
            Hash::Md5 => 0,
            Hash::Sha256 => 2,
        };
        hash + u8::from(self.has_qop)
    }

    /// The name of the algorithm. RFC 7616, section 6.1.
    pub fn algorithm(&self) -> &'static str {
        match (self.algorithm.hash, self.algorithm.is_sess) {
            (Hash::Md5, false) => "MD5",
            (Hash::Md5, true) => "MD5-sess",
            (Hash::Sha256, false) => "SHA-256",
            (Hash::Sha256, true) => "SHA-256-sess",
        }
    }

    /// What was answered was right but for its nonce, of which this is a new one.
    pub fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// Returns whether another challenge has the same nonce.
    pub fn has_nonce_of(&self, other: &Digest) -> bool {
        self.nonce == other.nonce
    }

    /// The value of Proxy-Authorization. RFC 7616, section 3.4.
    pub fn credentials(&self, login: &Login, request: &Request<'_>) -> Vec<u8> {
        let hash = self.algorithm.hash;
        let count = format!("{:08x}", request.count);
        let user = if self.hashes_user {
            hash.hex(&[login.user.as_bytes(), &self.realm]).into_bytes()
        } else {
            login.user.clone().into_bytes()
        };
        let mut value = b"Digest ".to_vec();
        push_quoted(&mut value, "username", &user);
        push_quoted(&mut value, ", realm", &self.realm);
        push_quoted(&mut value, ", nonce", &self.nonce);
        push_quoted(&mut value, ", uri", request.uri.as_bytes());
        let response = self.response(login, request, &count);
        push_quoted(&mut value, ", response", response.as_bytes());
        if self.names_algorithm {
            value.extend_from_slice(format!(", algorithm={}", self.algorithm()).as_bytes());
        }
        if self.has_qop {
            value.extend_from_slice(format!(", qop=auth, nc={count}").as_bytes());
            push_quoted(&mut value, ", cnonce", request.cnonce.as_bytes());
        }
        if let Some(opaque) = &self.opaque {
            push_quoted(&mut value, ", opaque", opaque);
        }
        if self.hashes_user {
            value.extend_from_slice(b", userhash=true");
        }
        value
    }

    /// RFC 7616, section 3.4.1.
    fn response(&self, login: &Login, request: &Request<'_>, count: &str) -> String {
        let hash = self.algorithm.hash;
        let (user, password) = (login.user.as_bytes(), login.password.as_bytes());
        let cnonce = request.cnonce.as_bytes();
        let mut a1 = hash.hex(&[user, &self.realm, password]);
        if self.algorithm.is_sess {
            a1 = hash.hex(&[a1.as_bytes(), &self.nonce, cnonce]);
        }
        let a2 = hash.hex(&[request.method.as_bytes(), request.uri.as_bytes()]);
        let (a1, a2) = (a1.as_bytes(), a2.as_bytes());
        if self.has_qop {
            hash.hex(&[a1, &self.nonce, count.as_bytes(), cnonce, b"auth", a2])
        } else {
            hash.hex(&[a1, &self.nonce, a2])
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Algorithm {
    hash: Hash,
    /// The hash of the password counts for one nonce and client nonce only.
    is_sess: bool,
}

impl Algorithm {
    fn read(name: &[u8]) -> Option<Algorithm> {
        let (hash, is_sess) = match name.to_ascii_lowercase().as_slice() {
            b"md5" => (Hash::Md5, false),
            b"md5-sess" => (Hash::Md5, true),
            b"sha-256" => (Hash::Sha256, false),
            b"sha-256-sess" => (Hash::Sha256, true),
            _ => return None,
        };
        Some(Algorithm { hash, is_sess })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Md5,
    Sha256,
}

impl Hash {
    /// The hash, in hexadecimal digits, of the parts with colons between them.
    fn hex(self, parts: &[&[u8]]) -> String {
        let bytes = parts.join(&b':');
        match self {
            Hash::Md5 => hex(&Md5::digest(bytes)),
            Hash::Sha256 => hex(&Sha256::digest(bytes)),
        }
    }
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn has_auth(qop: &[u8]) -> bool {
    qop.split(|&byte| byte == b',')
        .any(|offered| offered.trim_ascii().eq_ignore_ascii_case(b"auth"))
}

/// What can be said back in a field of our own: no control characters.
fn safe(value: &[u8]) -> Option<Vec<u8>> {
    let is_safe = !value.iter().any(u8::is_ascii_control);
    is_safe.then(|| value.to_vec())
}

/// Appends `name="value"`. RFC 9110, section 5.6.4.
fn push_quoted(field: &mut Vec<u8>, name: &str, value: &[u8]) {
    field.extend_from_slice(name.as_bytes());
    field.extend_from_slice(b"=\"");
    for byte in value {
        if b"\"\\".contains(byte) {
            field.push(b'\\');
        }
        field.push(*byte);
    }
    field.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::super::challenge::Challenge;
    use super::*;

    fn answer(challenge: &str, request: &Request<'_>, user: &str, password: &str) -> String {
        let login = Login {
            user: user.into(),
            password: password.into(),
        };
        let challenge = Challenge::strongest(&[challenge.into()]).expect("a known challenge");
        String::from_utf8(challenge.credentials(&login, request)).expect("text")
    }

    /// The request of RFC 7616, section 3.9.1.
    fn get(cnonce: &str) -> Request<'_> {
        Request {
            method: "GET",
            uri: "/dir/index.html",
            count: 1,
            cnonce,
        }
    }

    #[test]
    fn rfc_7616_section_3_9_1() {
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            (
                "SHA-256",
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
        ] {
            let challenge = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
                 algorithm={algorithm}, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            );
            let wanted = format!(
                "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                 uri=\"/dir/index.html\", response=\"{response}\", algorithm={algorithm}, \
                 qop=auth, nc=00000001, cnonce=\"{cnonce}\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            );
            let got = answer(&challenge, &get(cnonce), "Mufasa", "Circle of Life");
            assert_eq!(got, wanted);
        }
    }

    #[test]
    fn rfc_2617_section_3_5_and_its_answer_without_qop() {
        let challenge = "Digest realm=\"testrealm@host.com\", \
                         nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"";
        let with_qop = format!("{challenge}, qop=\"auth,auth-int\"");
        let got = answer(&with_qop, &get("0a4f113b"), "Mufasa", "Circle Of Life");
        assert!(got.contains("response=\"6629fae49393a05397450978507c4ef1\""));
        assert!(!got.contains("algorithm"), "{got}");

        let got = answer(challenge, &get("0a4f113b"), "Mufasa", "Circle Of Life");
        assert!(got.contains("response=\"670fd8c2df070c60b045671b8b24ff02\""));
        assert!(!got.contains("cnonce") && !got.contains("nc="), "{got}");
    }

    #[test]
    fn a_session_key_is_bound_to_both_nonces() {
        let md5 = |text: &str| hex(&Md5::digest(text));
        let challenge = "Digest realm=\"r\", nonce=\"n\", qop=auth, algorithm=MD5-sess";
        let a1 = md5(&format!("{}:n:c", md5("me:r:secret")));
        let response = md5(&format!(
            "{a1}:n:00000001:c:auth:{}",
            md5("GET:/dir/index.html")
        ));
        let got = answer(challenge, &get("c"), "me", "secret");
        assert!(got.contains(&format!("response=\"{response}\"")), "{got}");
    }

    #[test]
    fn the_user_is_hashed_where_asked_for_and_else_quoted() {
        let challenge = "Digest realm=\"r\", nonce=\"n\", qop=auth, algorithm=SHA-256";
        let got = answer(challenge, &get("c"), "m\"e\\", "x");
        assert!(got.starts_with("Digest username=\"m\\\"e\\\\\", "), "{got}");

        let hashing = format!("{challenge}, userhash=true");
        let got = answer(&hashing, &get("c"), "me", "x");
        let user = hex(&Sha256::digest("me:r"));
        assert!(got.contains(&format!("username=\"{user}\"")), "{got}");
        assert!(got.ends_with(", userhash=true"), "{got}");
    }

    #[test]
    fn control_characters_are_not_said_back() {
        for challenge in [
            "Digest realm=\"a\rb\", nonce=\"n\", qop=auth",
            "Digest realm=\"a\", nonce=\"\u{1}\", qop=auth",
        ] {
            assert_eq!(Challenge::strongest(&[challenge.into()]), None);
        }
        let opaque = "Digest realm=\"a\", nonce=\"n\", qop=auth, opaque=\"\r\"";
        assert!(!answer(opaque, &get("c"), "me", "x").contains("opaque"));
    }
}
