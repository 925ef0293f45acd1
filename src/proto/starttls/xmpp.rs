//! STARTTLS of XMPP. RFC 6120, sections 4 and 5.
//!
//! ```text
//!   Start -- our stream --> Features -- starttls is among them --> (starttls) --> Answer
//!   Answer -- proceed --> TLS
//! ```
//!
//! Elements are known by where they are and by their names, whatever the prefix. Which namespace a
//! prefix stands for is not looked up: nothing else can be there under these names, and before TLS
//! nothing is believed anyway.

mod tags;

use crate::parse::escape::printable;
use crate::proto::{Handshake, Progress, Refused, Target};
use core::net::IpAddr;
use tags::{TagKind, Tags};

const STARTTLS: &[u8] = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

/// Asks an XMPP server for TLS.
pub struct Xmpp {
    /// Whom the stream is for.
    host: String,
    /// The namespace of our stream. RFC 6120, section 4.8.3.
    namespace: &'static str,
    tags: Tags,
    /// How many elements are open.
    depth: usize,
    /// Which element of the stream is open, or was last.
    element: Element,
    /// STARTTLS is among the features.
    is_offered: bool,
    /// That the stream failed, and what the elements in the error say.
    error: Vec<u8>,
    state: XmppState,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum XmppState {
    /// Our stream.
    Start,
    /// The server's stream, and its features. RFC 6120, section 4.3.2.
    Features,
    /// The answer to STARTTLS. RFC 6120, section 5.4.2.
    Answer,
    /// TLS.
    Done,
}

/// The elements of a stream that matter.
#[derive(Clone, Copy)]
enum Element {
    /// The server can do these.
    Features,
    /// TLS may begin.
    Proceed,
    /// The stream is of no more use. RFC 6120, section 4.9.
    Error,
}

impl Xmpp {
    /// A client's stream for `host`.
    pub fn client(host: &str) -> Xmpp {
        Xmpp::new(host, "jabber:client")
    }

    /// Another server's stream for `host`.
    pub fn server(host: &str) -> Xmpp {
        Xmpp::new(host, "jabber:server")
    }

    fn new(host: &str, namespace: &'static str) -> Xmpp {
        let host = match Target::from(host) {
            Target::Ip(IpAddr::V6(address)) => format!("[{address}]"),
            Target::Ip(IpAddr::V4(_)) | Target::Name(_) => escaped(host),
        };
        Xmpp {
            host,
            namespace,
            tags: Tags::default(),
            depth: 0,
            element: Element::Features,
            is_offered: false,
            error: b"stream error".to_vec(),
            state: XmppState::Start,
        }
    }

    /// The beginning of our stream. RFC 6120, sections 4.2 and 11.5.
    fn header(&self) -> String {
        format!(
            "<?xml version='1.0'?><stream:stream to='{}' version='1.0' xmlns='{}' \
             xmlns:stream='http://etherx.jabber.org/streams'>",
            self.host, self.namespace
        )
    }

    /// Takes the tag that has come whole.
    fn take_tag(&mut self, output: &mut Vec<u8>) -> Result<(), Refused> {
        let kind = self.tags.kind();
        let name = self.tags.name().to_vec();
        match kind {
            TagKind::Declaration if self.depth == 0 => return Ok(()),
            TagKind::Start | TagKind::Empty => self.open(&name)?,
            TagKind::End if self.depth > 0 => {}
            TagKind::Declaration | TagKind::End | TagKind::Other => return Err(self.garbage()),
        }
        match kind {
            TagKind::End | TagKind::Empty => self.close(&name, output),
            TagKind::Start | TagKind::Declaration | TagKind::Other => Ok(()),
        }
    }

    /// An element begins.
    fn open(&mut self, name: &[u8]) -> Result<(), Refused> {
        match (self.depth, name, self.state) {
            (0, b"stream", _) => {}
            (1, b"features", XmppState::Features) => self.element = Element::Features,
            (1, b"proceed", XmppState::Answer) => self.element = Element::Proceed,
            (1, b"error", _) => self.element = Element::Error,
            (1, b"failure", XmppState::Answer) => {
                return Err(Refused::Server(Refused::shown(self.tags.tag())));
            }
            (0 | 1, ..) => return Err(self.garbage()),
            (2, b"starttls", XmppState::Features) => self.is_offered = true,
            (2.., ..) => {}
        }
        self.depth += 1;
        Ok(())
    }

    /// An element ends.
    fn close(&mut self, name: &[u8], output: &mut Vec<u8>) -> Result<(), Refused> {
        self.depth -= 1;
        match (self.depth, self.element) {
            (0, _) => Err(Refused::Closed),
            (1, Element::Features) if self.is_offered => {
                output.extend_from_slice(STARTTLS);
                self.state = XmppState::Answer;
                Ok(())
            }
            (1, Element::Features) => Err(Refused::NoStarttls),
            (1, Element::Proceed) => {
                self.state = XmppState::Done;
                Ok(())
            }
            (1, Element::Error) => Err(Refused::Server(Refused::shown(&self.error))),
            (2, Element::Error) => {
                self.note_error(name);
                Ok(())
            }
            (2.., _) => Ok(()),
        }
    }

    /// Adds what an element in an error says: by its name, unless it is there for its text alone,
    /// and by the text in it.
    fn note_error(&mut self, name: &[u8]) {
        let text = self.tags.text().trim_ascii();
        for words in [name, text] {
            if !words.is_empty() && words != b"text" {
                self.error.extend_from_slice(b": ");
                self.error.extend_from_slice(words);
            }
        }
    }

    /// Not a stream: what came last.
    fn garbage(&self) -> Refused {
        let what = [self.tags.text().trim_ascii(), self.tags.tag()].concat();
        Refused::garbage(&what)
    }
}

/// A name as the value of an attribute.
fn escaped(name: &str) -> String {
    let name = printable(name.as_bytes());
    let name = name.replace('&', "&amp;").replace('<', "&lt;");
    name.replace('\'', "&apos;")
}

impl Handshake for Xmpp {
    fn step(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Progress, Refused> {
        if self.state == XmppState::Start {
            output.extend_from_slice(self.header().as_bytes());
            self.state = XmppState::Features;
        }
        let mut rest = input;
        loop {
            let is_whole = self.tags.next(&mut rest);
            // Known at the first wrong byte: another kind of server may never send a tag.
            if self.depth < 2 && !self.tags.text().trim_ascii().is_empty() {
                return Err(self.garbage());
            }
            let used = input.len() - rest.len();
            if !is_whole? {
                return Ok(Progress::More { used });
            }
            self.take_tag(output)?;
            if self.state == XmppState::Done {
                return Ok(Progress::Done { used });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::testing::{converse, feed};

    const STREAM: &str = "<?xml version='1.0'?><stream:stream from='h' id=\"a>b\" version='1.0'>";
    const OFFER: &str = "<stream:features><starttls/></stream:features>";

    fn end(answer: &str) -> Result<Option<Vec<u8>>, Refused> {
        converse(|| Xmpp::client("h"), answer.as_bytes()).0
    }

    fn sent_to(host: &str) -> String {
        String::from_utf8(feed(Xmpp::client(host), std::iter::empty()).1).unwrap()
    }

    #[test]
    fn the_stream_is_for_the_host_whatever_its_name() {
        for (host, to) in [
            ("example.org", "example.org"),
            ("10.0.0.1", "10.0.0.1"),
            ("::1", "[::1]"),
            ("a'b<c&\n", "a&apos;b&lt;c&amp;\\n"),
        ] {
            let start = format!("<?xml version='1.0'?><stream:stream to='{to}' version='1.0' ");
            assert!(sent_to(host).starts_with(&start), "{}", sent_to(host));
        }
    }

    #[test]
    fn the_offer_is_found_however_it_is_written() {
        for features in [
            OFFER,
            "<features xmlns='s'><starttls xmlns=\"urn:x\"></starttls></features>",
            "\n<s:features >\n <t:starttls xmlns:t='urn:x' >\n<t:required/></t:starttls>\n</s:features>",
            "<s:features><a b='/>' c=\"'\"><starttls2/></a><starttls><optional/></starttls></s:features>",
        ] {
            let answer = format!("{STREAM}{features}");
            let (end, sent) = converse(|| Xmpp::client("h"), answer.as_bytes());
            assert_eq!(end, Ok(None), "{features}");
            assert!(sent.ends_with(STARTTLS), "{features}");
        }
        for features in [
            "<stream:features/>",
            "<s:features><bind/></s:features>",
            "<s:features><a><starttls/></a></s:features>",
        ] {
            assert_eq!(
                end(&format!("{STREAM}{features}")),
                Err(Refused::NoStarttls)
            );
        }
    }

    #[test]
    fn tls_begins_behind_the_end_of_proceed() {
        for proceed in [
            "<proceed/>",
            "\n<p:proceed a='>'>x</p:proceed>",
            "<proceed\t/>",
        ] {
            let answer = format!("{STREAM}{OFFER}{proceed}\n<");
            assert_eq!(end(&answer), Ok(Some(b"\n<".to_vec())), "{proceed}");
        }
    }

    #[test]
    fn refusals_are_told_in_the_servers_words() {
        for (answer, words) in [
            (
                format!("{STREAM}{OFFER}<failure xmlns='u\x07'/></stream:stream>"),
                "<failure xmlns='u\\x07'/>",
            ),
            (
                format!("{STREAM}<stream:error><host-unknown xmlns='u'/></stream:error>"),
                "stream error: host-unknown",
            ),
            (
                format!(
                    "{STREAM}{OFFER}<s:error> <see-other-host>h2</see-other-host>\n\
                     <text xml:lang='en'> go\x1b </text></s:error>"
                ),
                "stream error: see-other-host: h2: go\\x1b",
            ),
            (format!("{STREAM}<stream:error/>"), "stream error"),
        ] {
            assert_eq!(end(&answer), Err(Refused::Server(words.to_owned())));
        }
        assert_eq!(
            end(&format!("{STREAM}</stream:stream>")),
            Err(Refused::Closed)
        );
    }

    #[test]
    fn other_languages_are_garbage() {
        for answer in [
            "HTTP/1.1 400 Bad Request",
            "<!DOCTYPE html>",
            "<html>",
            "</stream>",
            "<>",
            "<?xmp?>",
            "<stream:stream><?xml?>",
            "<stream:stream>x",
            "<stream:stream><proceed/>",
            "<stream:stream><message>",
            "<stream:stream><features><!-- x -->",
        ] {
            assert!(matches!(end(answer), Err(Refused::Garbage(_))), "{answer}");
        }
        let again = format!("{STREAM}{OFFER}{OFFER}");
        assert!(matches!(end(&again), Err(Refused::Garbage(_))));
    }
}
