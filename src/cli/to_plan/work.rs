//! What is done: which sides are joined, and by which rules.

use super::*;
use crate::cli::dialect::Probes;
use crate::plan::tls::Spelling;
use crate::plan::{
    Answer, Binding, Ends, How, Join, ListenAt, Listening, Purpose, Room, Rules, Scan, Side,
    TelnetSides, UdpProbe, UnixListening, UnixSource, Until, Work,
};

impl Planner<'_> {
    /// What peers are joined to.
    pub(super) fn partner(&self, timeout: Option<Duration>) -> Result<Partner, Wrong> {
        if let Some(word) = &self.args.relay {
            return self.target(word, timeout);
        }
        if let Some(talk) = self.talk() {
            return Ok(Partner::Room(talk));
        }
        if let Some(program) = self.program()? {
            return Ok(Partner::Program(program));
        }
        Ok(self.builtin().map_or(Partner::Stdio, Partner::Builtin))
    }

    fn builtin(&self) -> Option<Builtin> {
        let args = self.args;
        let table = [
            (args.echo, Builtin::Echo),
            (args.discard, Builtin::Discard),
            (args.chargen, Builtin::Chargen),
            (args.daytime, Builtin::Daytime),
        ];
        let typed = table.into_iter().find(|(typed, _)| *typed);
        typed.map(|(_, builtin)| builtin)
    }

    pub(super) fn work(
        &self,
        place: Place,
        partner: Partner,
        timeout: Option<Duration>,
    ) -> Result<Work, Wrong> {
        let rules = self.rules(&place, &partner, timeout)?;
        if !self.args.listen {
            return self.connecting(place, partner, rules, timeout);
        }
        let listening = self.listening(place, &partner)?;
        let is_shared = matches!(partner, Partner::Stdio) && listening.clients == Clients::Each;
        let talk = match partner {
            Partner::Room(talk) => Some(talk),
            _ => None,
        };
        if talk.is_some() || is_shared {
            return Ok(Work::Room(Box::new(Room {
                listening,
                talk,
                rules,
            })));
        }
        let base = match partner {
            Partner::Builtin(builtin) if listening.keeps_messages() => {
                return Ok(Work::Answer(Box::new(Answer {
                    listening,
                    builtin,
                    rules,
                })));
            }
            Partner::Relay(end) => {
                return Ok(Work::Join(Box::new(Join {
                    local: Side::Listener(Box::new(listening)),
                    remote: Side::End(end),
                    purpose: Purpose::Join,
                    rules,
                })));
            }
            Partner::Builtin(builtin) => Base::Builtin(builtin),
            Partner::Program(program) => Base::Program(program),
            Partner::Stdio | Partner::Room(_) => Base::Stdio,
        };
        Ok(Work::Join(Box::new(Join {
            local: self.inside(base)?,
            remote: Side::Listener(Box::new(listening)),
            purpose: Purpose::Join,
            rules,
        })))
    }

    /// An end that needs no network.
    fn inside(&self, base: Base) -> Result<Side, Wrong> {
        Ok(Side::End(Box::new(End {
            base,
            layers: Vec::new(),
            how: self.how(None, true)?,
        })))
    }

    fn connecting(
        &self,
        place: Place,
        partner: Partner,
        rules: Rules,
        timeout: Option<Duration>,
    ) -> Result<Work, Wrong> {
        let args = self.args;
        let is_ip = matches!(place, Place::Ip { .. });
        let named = match &place {
            Place::Unix(_) => Err("a Unix socket"),
            Place::Vsock(..) => Err("vsock"),
            Place::Ip { .. } | Place::Passed(..) => Ok(()),
        };
        let layers = self.layers(&args.tls, Spelling::Options, named)?;
        let how = self.how(timeout, !is_ip)?;
        let end = |base| Box::new(End { base, layers, how });
        let remote = match place {
            Place::Unix(path) => Side::End(end(Base::Unix {
                path,
                datagrams: self.unix_source(),
            })),
            Place::Vsock(Some(cid), port) => Side::End(end(Base::Vsock { cid, port })),
            Place::Vsock(None, port) => {
                return said(format!("no CID to connect to: vsock::{port}"));
            }
            Place::Ip { host, ports } => {
                let host = host.unwrap_or_default().into();
                let ports = self.ports(&ports, *end(Base::Ip { host, port: 0 }))?;
                let parallel = self.parallel()?;
                // As nc, -F counts more than -z.
                if args.zero && !args.pass_fd {
                    let to = ports;
                    return Ok(Work::Scan(Box::new(Scan { to, parallel })));
                }
                Side::Ports(Box::new(ports))
            }
            // A socket that was passed is one to serve.
            Place::Passed(..) => return said("the socket passed to rnc needs -l"),
        };
        let base = match partner {
            Partner::Program(program) => Base::Program(program),
            _ => Base::Stdio,
        };
        Ok(Work::Join(Box::new(Join {
            local: self.inside(base)?,
            remote,
            purpose: match (args.pass_fd, args.zero) {
                (true, _) => Purpose::PassSocket,
                (false, true) => Purpose::Look,
                (false, false) => Purpose::Join,
            },
            rules,
        })))
    }

    fn unix_source(&self) -> Option<UnixSource> {
        let source = self.args.source.as_ref().map(PathBuf::from);
        let source = source.map_or(UnixSource::Temporary, UnixSource::Path);
        self.args.udp.then_some(source)
    }

    /// How an end is opened; one that `is_local` sends from no address of its own choice.
    pub(super) fn how(&self, timeout: Option<Duration>, is_local: bool) -> Result<How, Wrong> {
        let (args, dialect) = (self.args, self.dialect);
        let probes = match dialect.probes {
            Probes::Scanning => args.zero,
            Probes::Verbose => args.verbose > 0,
        };
        let probes = probes && args.udp && !args.listen && !self.ignores_refusals();
        Ok(How {
            net: self.net(is_local)?,
            timeout: self.connect_limit(timeout)?,
            timeout_per_address: dialect.timeout_per_address,
            timeout_reason: dialect.timeout_reason,
            stagger: dialect.stagger,
            retry: self.limit("--retry", args.retry.as_ref())?,
            names_proxy: !dialect.plain_errors,
            udp_probe: probes.then(|| UdpProbe {
                limit: timeout.unwrap_or(dialect.udp_probe.limit),
                ..dialect.udp_probe
            }),
        })
    }

    fn listening(&self, place: Place, partner: &Partner) -> Result<Listening, Wrong> {
        let access = self.access()?;
        let tls = self.tls_server()?;
        let clients = self.clients(&place, partner);
        let at = match place {
            Place::Unix(path) => ListenAt::Unix {
                path,
                datagrams: self.args.udp,
                rules: UnixListening {
                    mode: self.socket_mode()?,
                    ..self.dialect.unix
                },
            },
            Place::Vsock(cid, port) => ListenAt::Vsock { cid, port },
            Place::Passed(from, _) => ListenAt::Ip(self.binding(None, 0, Some(from))?),
            Place::Ip { host, ports } => {
                let word = ports.first().cloned().unwrap_or_default();
                let port = self.listen_port(&word)?;
                ListenAt::Ip(self.binding(host, port, None)?)
            }
        };
        Ok(Listening {
            at,
            clients,
            access,
            reception: self.reception()?,
            net: self.net(true)?,
            tls,
        })
    }

    fn binding(
        &self,
        host: Option<String>,
        port: u16,
        passed: Option<Passed>,
    ) -> Result<Binding, Wrong> {
        let dialect = self.dialect;
        let groups: Result<Vec<Group>, Wrong> =
            self.args.join.iter().map(|word| group(word)).collect();
        Ok(Binding {
            host,
            port,
            dual_stack: dialect.dual_stack,
            all_addresses: dialect.all_addresses,
            // A group is heard by all its members, whatever the port.
            shares_port: dialect.shares_port || !self.args.join.is_empty(),
            passed,
            groups: groups?,
        })
    }

    /// How many clients are served, and how.
    fn clients(&self, place: &Place, partner: &Partner) -> Clients {
        let (args, dialect) = (self.args, self.dialect);
        if args.udp {
            let locks_to_first = dialect.udp_locks_to_first && !args.keep_open;
            return match partner {
                _ if locks_to_first => Clients::OneQueueing,
                Partner::Stdio | Partner::Builtin(_) | Partner::Room(_) => Clients::InTurn,
                Partner::Relay(_) | Partner::Program(_) => Clients::Each,
            };
        }
        match (place, partner) {
            (Place::Passed(_, Kind::Connection), _) => Clients::One,
            (_, Partner::Room(_)) => Clients::Each,
            _ if !args.keep_open => dialect.clients,
            (_, Partner::Stdio) => dialect.many_clients,
            _ => Clients::Each,
        }
    }

    fn rules(
        &self,
        place: &Place,
        partner: &Partner,
        timeout: Option<Duration>,
    ) -> Result<Rules, Wrong> {
        let (args, dialect) = (self.args, self.dialect);
        let max_reads = match &args.recv_limit {
            Some(word) => {
                let read = strtonum(word, 1, i64::from(i32::MAX));
                let read =
                    read.map_err(|error| Wrong::Said(format!("receive limit {error}: {word}")))?;
                u64::try_from(read).ok()
            }
            None => None,
        };
        let ends = self.ends(place)?;
        let both = Ends {
            time_limit_is_end: ends.time_limit_is_end,
            ..Ends::BOTH
        };
        Ok(Rules {
            ends: match partner {
                Partner::Stdio | Partner::Program(_) | Partner::Room(_) => ends,
                // It has said all, whatever the peer still says.
                Partner::Builtin(Builtin::Daytime) => Ends {
                    until: Until::Stdin,
                    ..both
                },
                Partner::Relay(_) | Partner::Builtin(_) => both,
            },
            limits: self.limits(timeout)?,
            follows_http: self.follows_http(place),
            reads_stdin: !args.no_stdin,
            writes_stdout: !args.send_only && self.talk().is_none(),
            crlf: args.crlf,
            telnet: if args.telnet {
                dialect.telnet
            } else {
                TelnetSides::Off
            },
            interval: self.interval()?,
            max_reads,
            may_offload: self.facts.may_offload,
            datagram_bytes: match partner {
                // What came whole goes on whole.
                Partner::Relay(_) => MOST_DATAGRAM_BYTES,
                _ => self.datagram_bytes()?,
            },
            tags_lines: args.tag,
            queue_bytes: self.queue_bytes()?,
            framing: self.framing()?,
            ignores_refusals: self.ignores_refusals(),
            forgives_resets: matches!(partner, Partner::Builtin(Builtin::Chargen)),
        })
    }
}

/// GROUP[@IFACE], or GROUP%IFACE as addresses have it.
fn group(word: &str) -> Result<Group, Wrong> {
    let (addr, interface) = match word.split_once(['@', '%']) {
        Some((addr, interface)) => (addr, Some(interface.to_string())),
        None => (word, None),
    };
    match addr.parse::<std::net::IpAddr>() {
        Ok(addr) if addr.is_multicast() => Ok(Group { addr, interface }),
        _ => said(format!(
            "--join {}: not a multicast address",
            word.escape_debug()
        )),
    }
}
