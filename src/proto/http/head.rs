//! The head of an HTTP message: its first line, and the fields that say where it ends and whether
//! the connection is used again. RFC 9112, sections 3 to 9.

use super::super::find::find;

/// A status line. RFC 9112, section 4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The code.
    pub code: u16,
    /// The version is 1.1, not 1.0.
    pub is_1_1: bool,
}

impl Status {
    /// Reads `HTTP/1.0 200 reason`, or 1.1; the reason may be missing.
    pub fn read(line: &[u8]) -> Option<Status> {
        let (is_1_1, rest) = match line.strip_prefix(b"HTTP/1.0 ") {
            Some(rest) => (false, rest),
            None => (true, line.strip_prefix(b"HTTP/1.1 ")?),
        };
        let (code, reason) = rest.split_at_checked(3)?;
        let ends = reason.first().is_none_or(|&byte| byte == b' ');
        let digits = code.iter().all(u8::is_ascii_digit);
        let number = |sum, digit: &u8| sum * 10 + u16::from(digit - b'0');
        (ends && digits).then(|| Status {
            code: code.iter().fold(0, number),
            is_1_1,
        })
    }
}

/// What a request line means for its answer. RFC 9112, section 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLine {
    /// The method.
    pub method: Method,
    /// The version is 1.1 or later, not 1.0.
    pub is_1_1: bool,
}

/// A method, as far as the end of the answer depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The answer has no body.
    Head,
    /// After an answer of 2xx the connection is a tunnel.
    Connect,
    /// Any other.
    Other,
}

impl RequestLine {
    /// The longest method recognised; the longest registered has 17 bytes.
    const METHOD_MAX: usize = 32;

    /// Reads `METHOD target HTTP/1.x`. The target may be any text: that is for the server to judge.
    pub fn read(line: &[u8]) -> Option<RequestLine> {
        let line = line.trim_ascii_end();
        let (rest, minor) = match line.split_last() {
            Some((minor @ b'0'..=b'9', rest)) => (rest, *minor),
            _ => return None,
        };
        let before = rest.strip_suffix(b" HTTP/1.")?;
        let (method, target) = before.split_at(find(b' ', before)?);
        let target = target.trim_ascii();
        let is_text = !target.is_empty() && !target.iter().any(u8::is_ascii_control);
        if !is_text || !RequestLine::may_begin_with(line) {
            return None;
        }
        let method = match method {
            b"HEAD" => Method::Head,
            b"CONNECT" => Method::Connect,
            _ => Method::Other,
        };
        let is_1_1 = minor != b'0';
        Some(RequestLine { method, is_1_1 })
    }

    /// Returns whether these can be the first bytes of a request line.
    pub fn may_begin_with(bytes: &[u8]) -> bool {
        let start = &bytes[..bytes.len().min(Self::METHOD_MAX + 1)];
        match start.iter().position(|&byte| !is_token_byte(byte)) {
            Some(end) => end > 0 && start[end] == b' ',
            None => start.len() <= Self::METHOD_MAX,
        }
    }
}

/// RFC 9110, section 5.6.2.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// What ends the body of a message. RFC 9112, section 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// So many bytes.
    Length(u64),
    /// The last of its chunks.
    Chunked,
    /// The end of the connection.
    UntilEnd,
}

/// The fields after a first line.
#[derive(Default)]
pub struct Fields {
    /// The last line that came, to which the next may belong.
    pending: Vec<u8>,
    /// The values of Proxy-Authenticate.
    pub challenges: Vec<Vec<u8>>,
    closes: bool,
    keeps: bool,
    /// Content-Length as given; `None` once two disagree, or it is no number.
    length: Option<Option<u64>>,
    /// What Transfer-Encoding makes of the body.
    coding: Option<Body>,
}

impl Fields {
    /// Takes in a line, which is not the empty one.
    pub fn push(&mut self, line: &[u8]) {
        // A line may be folded. RFC 9112, section 5.2.
        if line.first().is_some_and(|byte| b" \t".contains(byte)) {
            self.pending.push(b' ');
            self.pending.extend_from_slice(line.trim_ascii());
        } else {
            self.flush();
            self.pending = line.to_vec();
        }
    }

    /// No more lines come.
    pub fn end(&mut self) {
        self.flush();
    }

    /// The bytes of the body, where the connection can be used again behind them. RFC 9112,
    /// sections 6.3 and 9.3. (Proxy-Connection is the older name of Connection.)
    pub fn body_before_next(&self, status: Status) -> Option<usize> {
        match self.body() {
            Some(Body::Length(bytes)) if self.persists(status.is_1_1) => bytes.try_into().ok(),
            _ => None,
        }
    }

    /// Returns whether the connection is used again after the message. RFC 9112, section 9.3.
    pub fn persists(&self, is_1_1: bool) -> bool {
        !self.closes && (is_1_1 || self.keeps)
    }

    /// What ends the body, where the fields mention one. Lengths that disagree or are no numbers
    /// are none, and of transfer codings only the last counts. RFC 9112, section 6.3.
    pub fn body(&self) -> Option<Body> {
        let by_length = || Some(self.length?.map_or(Body::UntilEnd, Body::Length));
        self.coding.or_else(by_length)
    }

    fn flush(&mut self) {
        let line = std::mem::take(&mut self.pending);
        let Some(colon) = find(b':', &line) else {
            return;
        };
        let value = line[colon + 1..].trim_ascii();
        match line[..colon]
            .trim_ascii_end()
            .to_ascii_lowercase()
            .as_slice()
        {
            b"proxy-authenticate" => self.challenges.push(value.to_vec()),
            b"connection" | b"proxy-connection" => {
                self.closes |= has_word(value, b"close");
                self.keeps |= has_word(value, b"keep-alive");
            }
            // Proxies may have joined several to a list.
            b"content-length" => {
                for length in value.split(|&byte| byte == b',').map(number) {
                    let agrees = self.length.is_none_or(|known| known == length);
                    self.length = Some(length.filter(|_| agrees));
                }
            }
            b"transfer-encoding" => {
                let last = value.rsplit(|&byte| byte == b',').next();
                let is_chunked = last.is_some_and(|last| has_word(last, b"chunked"));
                self.coding = Some(if is_chunked {
                    Body::Chunked
                } else {
                    Body::UntilEnd
                });
            }
            _ => {}
        }
    }
}

fn has_word(list: &[u8], word: &[u8]) -> bool {
    list.split(|&byte| byte == b',')
        .any(|item| item.trim_ascii().eq_ignore_ascii_case(word))
}

/// A number in decimal digits, and nothing else.
fn number(value: &[u8]) -> Option<u64> {
    let value = value.trim_ascii();
    let digits = value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| digits)?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(lines: &[&str]) -> Fields {
        let mut fields = Fields::default();
        lines.iter().for_each(|line| fields.push(line.as_bytes()));
        fields.end();
        fields
    }

    #[test]
    fn a_connection_is_used_again_only_where_that_is_sure() {
        let cases: [(bool, &[&str], Option<usize>); 12] = [
            (true, &["Content-Length: 5"], Some(5)),
            (true, &["CONTENT-LENGTH:0", "Content-Length: 0"], Some(0)),
            (true, &["Content-Length: 5", "Connection: x, Close"], None),
            (
                true,
                &["Content-Length: 5", "Proxy-Connection: close"],
                None,
            ),
            (true, &["Content-Length: 5", "Content-Length: 6"], None),
            (
                true,
                &[
                    "Content-Length: 5",
                    "Content-Length: 6",
                    "Content-Length: 6",
                ],
                None,
            ),
            (true, &["Content-Length: +5"], None),
            (true, &["Content-Length: 99999999999999999999999"], None),
            (
                true,
                &["Content-Length: 5", "Transfer-Encoding: chunked"],
                None,
            ),
            (true, &[], None),
            (false, &["Content-Length: 5"], None),
            (
                false,
                &["Content-Length: 5", "Connection: Keep-Alive"],
                Some(5),
            ),
        ];
        for (is_1_1, lines, wanted) in cases {
            let status = Status { code: 407, is_1_1 };
            assert_eq!(fields(lines).body_before_next(status), wanted, "{lines:?}");
        }
    }

    #[test]
    fn folded_lines_are_one_field() {
        let fields = fields(&["proxy-Authenticate: Digest a=b,", "\tc=d", " e", "X: y"]);
        assert_eq!(fields.challenges, [b"Digest a=b, c=d e".to_vec()]);
    }
}
