//! The names a connection hangs on: those of the host or the proxy, of the target where the proxy
//! has to be told its address, and of our own address.

use super::race::Hop;
use super::resolve;
use crate::io::inbox::Notice;
use crate::io::reactor::Registrar;
use crate::plan::{End, Family, Net, Proxy, ProxyKind, ProxyNames};
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::Poll;

/// What the names stand for: enough for any number of connections.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The addresses to connect to: the target's, or the proxy's.
    pub hop: Vec<SocketAddr>,
    /// The address of the target, where the proxy has to be told that.
    pub target: Option<IpAddr>,
    /// The addresses to send from (`-s`); none where the kernel chooses.
    pub source: Vec<SocketAddr>,
}

/// What a name is looked up for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// To send from.
    Source,
    /// To tell the proxy where to connect to.
    Target,
    /// To connect to.
    Hop,
}

/// A host that could not be looked up, and why.
#[derive(Debug)]
pub struct Unknown {
    /// What it was to be.
    pub role: Role,
    /// The host and its port.
    pub host: Hop,
    /// Why, in the words of getaddrinfo(3).
    pub error: io::Error,
}

/// A name to be looked up.
struct Question {
    role: Role,
    host: Hop,
    /// The family asked for, and whether names are looked up at all.
    net: Net,
    /// A name that is not found is no error.
    may_fail: bool,
}

/// Looks the names up, one after the other.
pub struct Lookup {
    questions: VecDeque<Question>,
    found: Found,
    is_asked: bool,
    answer: Option<io::Result<Vec<SocketAddr>>>,
}

impl Lookup {
    /// Looks up what connecting to `target` takes.
    pub fn new(target: Hop, end: &End) -> Lookup {
        let net = &end.how.net;
        let question = |role, host| Question {
            role,
            host,
            net: net.clone(),
            may_fail: false,
        };
        let mut questions = VecDeque::new();
        if let Some(source) = &net.source {
            let port = net.source_port.unwrap_or(0);
            questions.push_back(question(Role::Source, (source.as_str().into(), port)));
        }
        let hop = match end.proxy() {
            Some(proxy) => {
                questions.extend(target_question(question(Role::Target, target), proxy));
                proxy_hop(proxy)
            }
            None => target,
        };
        questions.push_back(question(Role::Hop, hop));
        Lookup {
            questions,
            found: Found::default(),
            is_asked: false,
            answer: None,
        }
    }

    /// Takes in a notice: the addresses that were asked for.
    pub fn notice(&mut self, notice: &Notice) {
        let Notice::Addresses((host, port), answer) = notice else {
            return;
        };
        // A lookup of this task that was given up is answered all the same.
        let current = self.questions.front();
        if current.is_some_and(|question| (&*question.host.0, question.host.1) == (host, *port)) {
            self.answer = Some(match answer {
                Ok(found) => Ok(found.clone()),
                Err(error) => Err(io::Error::other(error.to_string())),
            });
        }
    }

    /// Goes on as far as it can.
    ///
    /// # Errors
    /// A name is not known.
    pub fn drive(&mut self, registrar: &Registrar<'_>) -> Poll<Result<Found, Unknown>> {
        while let Some(question) = self.questions.front() {
            if !std::mem::replace(&mut self.is_asked, true) {
                let (host, port) = &question.host;
                let asked = resolve::ask(host, *port, &question.net, registrar);
                if let Poll::Ready(answer) = asked {
                    self.answer = Some(answer);
                }
            }
            let Some(answer) = self.answer.take() else {
                return Poll::Pending;
            };
            self.is_asked = false;
            if let Some(question) = self.questions.pop_front() {
                self.take_answer(question, answer)?;
            }
        }
        Poll::Ready(Ok(std::mem::take(&mut self.found)))
    }

    fn take_answer(
        &mut self,
        question: Question,
        answer: io::Result<Vec<SocketAddr>>,
    ) -> Result<(), Unknown> {
        let addrs = match answer {
            Ok(addrs) => addrs,
            Err(_) if question.may_fail => return Ok(()),
            Err(error) => {
                return Err(Unknown {
                    role: question.role,
                    host: question.host,
                    error,
                });
            }
        };
        match question.role {
            Role::Source => self.found.source = addrs,
            Role::Target => self.found.target = addrs.first().map(SocketAddr::ip),
            Role::Hop => self.found.hop = addrs,
        }
        Ok(())
    }
}

/// What is asked about the target of a proxy, if anything: where the proxy is to look a name up, it
/// is left as it is.
fn target_question(question: Question, proxy: &Proxy) -> Option<Question> {
    let mut net = question.net;
    // SOCKS4 knows IPv4 only. An address of the other family is refused by its own machine, in
    // plainer words.
    let is_ip = question.host.0.parse::<IpAddr>().is_ok();
    if proxy.kind == ProxyKind::Socks4 {
        net.family = if is_ip { Family::Any } else { Family::V4 };
    }
    net.numeric |= proxy.names == ProxyNames::Neither;
    let may_fail = proxy.names == ProxyNames::Both;
    let asks = proxy.names != ProxyNames::Remote;
    asks.then_some(Question {
        net,
        may_fail,
        ..question
    })
}

/// The proxy as a host to connect to.
fn proxy_hop(proxy: &Proxy) -> Hop {
    (proxy.host.as_str().into(), proxy.port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{SocketOptions, Transport};

    fn question(port: u16) -> Question {
        Question {
            role: Role::Hop,
            host: ("host".into(), port),
            net: Net {
                family: Family::Any,
                transport: Transport::Tcp,
                numeric: false,
                gives_hints: false,
                source: None,
                source_port: None,
                options: SocketOptions::default(),
            },
            may_fail: false,
        }
    }

    #[test]
    fn the_answer_to_a_lookup_that_was_given_up_is_not_taken() {
        let mut lookup = Lookup {
            questions: [question(81)].into(),
            found: Found::default(),
            is_asked: true,
            answer: None,
        };
        for port in [80, 81] {
            assert!(lookup.answer.is_none());
            let addr = SocketAddr::from(([192, 0, 2, 1], port));
            let asked = ("host".to_string(), port);
            lookup.notice(&Notice::Addresses(asked, Ok(vec![addr])));
        }
        assert!(lookup.answer.is_some());
    }
}
