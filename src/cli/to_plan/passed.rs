//! Sockets that are there already: `--inetd`, and `-l` without an address under a service manager.

use super::*;

impl Planner<'_> {
    /// The words, with what the sockets that were passed make of them: who serves those listens,
    /// and what they carry decides between streams and datagrams.
    pub(super) fn with_passed(&self) -> Result<Args, Wrong> {
        let mut args = self.with_end()?;
        args.listen |= args.inetd;
        if let Some(Place::Passed(_, kind)) = self.passed_place() {
            if args.udp && kind != Kind::Datagrams {
                return said("-u: the socket passed to rnc is not one of datagrams");
            }
            args.udp = kind == Kind::Datagrams;
        } else if args.inetd {
            return said("--inetd: standard input is no socket, and LISTEN_FDS passes none");
        }
        Ok(args)
    }

    /// The sockets that were passed, where they are to be used: those of `--inetd`, or of a
    /// service manager where nothing says where else to listen.
    pub(super) fn passed_place(&self) -> Option<Place> {
        let args = self.args;
        let listed = self.facts.listed_sockets.first();
        let listed = listed.map(|kind| Place::Passed(Passed::Listed, *kind));
        if args.inetd {
            let stdin = self.facts.stdin_socket;
            return match stdin {
                Kind::Other => listed,
                kind => Some(Place::Passed(Passed::Stdin, kind)),
            };
        }
        let says_where = !args.operands.is_empty()
            || args.source_port.is_some()
            || args.source.is_some()
            || args.unix;
        listed.filter(|_| args.listen && !says_where)
    }

    /// What cannot be served of what was passed.
    pub(super) fn check_passed(&self, place: &Place, partner: &Partner) -> Result<(), Wrong> {
        let Place::Passed(from, kind) = place else {
            return Ok(());
        };
        let args = self.args;
        if args.inetd && !(args.operands.is_empty() && args.source_port.is_none()) {
            return said("--inetd takes no address: the socket is there already");
        }
        let listed = &self.facts.listed_sockets;
        if *from == Passed::Listed {
            if listed.contains(&Kind::Other) {
                return said("LISTEN_FDS: not all that is passed are sockets rnc can serve");
            }
            if listed.iter().any(|other| other != kind) {
                return said("LISTEN_FDS: the sockets are of different kinds");
            }
            if listed.len() > 1 && *kind != Kind::Listener {
                return said("LISTEN_FDS: more than one socket that does not listen");
            }
        }
        if *from == Passed::Stdin && matches!(partner, Partner::Stdio) {
            return said(
                "--inetd needs something to serve: --relay, --echo or another service; standard \
                 input is the client",
            );
        }
        Ok(())
    }
}
