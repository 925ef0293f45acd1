//! Which options do not go together.

use super::*;

impl Planner<'_> {
    pub(super) fn check_conflicts(&self, place: &Place) -> Result<(), Wrong> {
        let args = self.args;
        let unix = matches!(place, Place::Unix(_));
        let (udp, listen) = (args.udp, args.listen);
        // With --relay it is the target that is dialled through a proxy, not the place.
        let proxy = args.proxy.is_some() && args.relay.is_none();
        // nc asks for the port first of all.
        let no_port = matches!(place, Place::Ip { ports, .. } if ports.is_empty())
            && self.dialect.strict_operands;
        // Condition, native text, nc's text.
        let table = [
            (no_port, "missing port number", "missing port number"),
            (
                listen && args.zero,
                "-z cannot be used with -l",
                "cannot use -z and -l",
            ),
            (
                !listen && args.keep_open && self.dialect.until_kept_open_client.is_none(),
                "-k needs -l",
                "must use -l with -k",
            ),
            (
                unix && args.pass_fd,
                "-F cannot be used with -U",
                "cannot use -F and -U",
            ),
            (
                proxy && udp,
                "-x cannot be used with -u",
                "no proxy support for UDP mode",
            ),
            (
                proxy && listen,
                "-x cannot be used with -l",
                "no proxy support for listen",
            ),
            (
                proxy && unix,
                "-x cannot be used with -U",
                "no proxy support for unix sockets",
            ),
            (
                proxy && args.source.is_some(),
                "-x cannot be used with -s",
                "no proxy support for local source address",
            ),
        ];
        for (found, native, nc) in table {
            if found {
                return said(if self.dialect.strict_operands {
                    nc
                } else {
                    native
                });
            }
        }
        self.check_service_conflicts()?;
        self.check_limit_conflicts(unix)?;
        self.check_crowd_conflicts()?;
        self.check_program_conflicts()?;
        if args.datagram_size.is_some() && !udp {
            return said("--datagram-size needs -u");
        }
        if args.ignore_refused && !udp {
            return said("--ignore-refused needs -u");
        }
        self.check_framing_conflicts()?;
        let vsock = matches!(place, Place::Vsock(..));
        self.check_sctp_conflicts(unix, vsock)?;
        self.check_native_conflicts(unix, vsock)
    }

    /// What clients of a listener are joined to instead of standard input and output, as typed.
    pub(super) fn services(&self) -> Vec<&'static str> {
        let args = self.args;
        let table = [
            (args.relay.is_some(), "--relay"),
            (args.echo, "--echo"),
            (args.discard, "--discard"),
            (args.chargen, "--chargen"),
            (args.daytime, "--daytime"),
        ];
        let typed = table.into_iter().filter(|(typed, _)| *typed);
        typed.map(|(_, option)| option).collect()
    }

    /// Such a service has no standard input and output, and leaves the bytes alone. No option of
    /// nc's, so the same in all dialects.
    fn check_service_conflicts(&self) -> Result<(), Wrong> {
        let args = self.args;
        let service = match self.services()[..] {
            [] => return Ok(()),
            [service] => service,
            [one, other, ..] => return said(format!("{other} cannot be used with {one}")),
        };
        if !args.listen {
            return said(format!("{service} needs -l"));
        }
        let table = [
            (args.quit.is_some(), "-q"),
            (args.until.is_some(), "--until"),
            (args.no_stdin, "-d"),
            (args.send_only, "--send-only"),
            (args.no_shutdown, "--no-shutdown"),
            (args.shutdown.is_some(), "--shutdown"),
            (args.recv_limit.is_some(), "-W"),
            (args.interval.is_some(), "-i"),
            (args.crlf, "-C"),
            (args.telnet, "-t"),
            (args.datagram_size.is_some(), "--datagram-size"),
            (args.framing.is_some(), "--framing"),
        ];
        match table.iter().find(|(found, _)| *found) {
            Some((_, option)) => said(format!("{option} cannot be used with {service}")),
            None => Ok(()),
        }
    }

    /// Who may come in can only be said of those who come, and by what is known of them. No options
    /// of nc's, so the same in all dialects.
    pub(super) fn check_access_conflicts(&self, place: &Place) -> Result<(), Wrong> {
        let args = self.args;
        // Of a socket that was passed it is seen when somebody comes.
        let is_ip = matches!(place, Place::Ip { .. } | Place::Passed(..));
        let is_file = matches!(place, Place::Unix(path) if !path.as_os_str().as_encoded_bytes().starts_with(b"@"));
        let is_unix = matches!(place, Place::Unix(_));
        // Whether it is given, whether it fits the place, and where it does.
        let table = [
            ("--allow", !args.allow.is_empty(), is_ip, "an IP socket"),
            (
                "--allowfile",
                !args.allowfile.is_empty(),
                is_ip,
                "an IP socket",
            ),
            ("--deny", !args.deny.is_empty(), is_ip, "an IP socket"),
            (
                "--denyfile",
                !args.denyfile.is_empty(),
                is_ip,
                "an IP socket",
            ),
            (
                "--allow-uid",
                !args.allow_uid.is_empty(),
                is_unix,
                "a Unix socket (-U)",
            ),
            (
                "--mode",
                args.mode.is_some(),
                is_file,
                "a Unix socket with a path (-U)",
            ),
        ];
        for (option, is_given, fits, needs) in table {
            if is_given && !args.listen {
                return said(format!("{option} needs -l"));
            }
            if is_given && !fits {
                return said(format!("{option} needs {needs}"));
            }
        }
        // A datagram does not say whose it is.
        if !args.allow_uid.is_empty() && args.udp {
            said("--allow-uid cannot be used with -u")
        } else {
            Ok(())
        }
    }

    /// SCTP is spoken over IP, as a stream, with nobody in between. No option of nc's.
    fn check_sctp_conflicts(&self, unix: bool, vsock: bool) -> Result<(), Wrong> {
        let args = self.args;
        let table = [
            (args.udp, "-u"),
            (unix, "-U"),
            (vsock, "vsock"),
            (args.proxy.is_some(), "-x"),
            (args.relay.is_some(), "--relay"),
            (args.md5sig, "-S"),
        ];
        match table.iter().find(|(found, _)| *found && args.sctp) {
            Some((_, other)) => said(format!("--sctp cannot be used with {other}")),
            None => Ok(()),
        }
    }

    /// Combinations nc takes in silence although they make no sense.
    fn check_native_conflicts(&self, unix: bool, vsock: bool) -> Result<(), Wrong> {
        let args = self.args;
        let (udp, listen) = (args.udp, args.listen);
        let no_proxy = args.proxy.is_none();
        // Those of a relay count for its target too.
        let not_ip = (unix || vsock) && args.relay.is_none();
        let table = [
            (
                args.shutdown_now && args.no_shutdown,
                "-N cannot be used with --no-shutdown",
            ),
            (
                args.shutdown.is_some() && args.no_shutdown,
                "--shutdown cannot be used with --no-shutdown",
            ),
            (
                args.shutdown.is_some() && args.shutdown_now,
                "--shutdown cannot be used with -N",
            ),
            (
                args.send_only && args.no_stdin,
                "--send-only cannot be used with -d",
            ),
            (no_proxy && args.proxy_type.is_some(), "-X needs -x"),
            (no_proxy && args.proxy_user.is_some(), "-P needs -x"),
            (
                no_proxy && args.proxy_auth.is_some(),
                "--proxy-auth needs -x",
            ),
            (no_proxy && args.proxy_dns.is_some(), "--proxy-dns needs -x"),
            (args.pass_fd && listen, "-F cannot be used with -l"),
            (args.pass_fd && args.zero, "-F cannot be used with -z"),
            (args.randomize && listen, "-r cannot be used with -l"),
            (args.parallel.is_some() && !args.zero, "--parallel needs -z"),
            (
                args.parallel.is_some() && unix,
                "--parallel cannot be used with -U",
            ),
            (
                !(args.join.is_empty() || udp && listen),
                "--join needs -u and -l",
            ),
            (
                !args.join.is_empty() && unix,
                "--join cannot be used with -U",
            ),
            (
                args.multicast_loop.is_some() && (!udp || unix),
                "--multicast-loop needs -u, and cannot be used with -U",
            ),
            (
                listen && args.source.is_some() && !self.dialect.listens_at_source,
                "-s cannot be used with -l: the address to listen on stands before the port",
            ),
            // The kernel looks at it for TCP only.
            (
                args.min_ttl.is_some() && (udp || args.sctp || not_ip),
                "-m needs TCP",
            ),
            (args.md5sig && (udp || not_ip), "-S needs TCP"),
            (args.ttl.is_some() && not_ip, "-M needs IP"),
            (args.tos.is_some() && not_ip, "-T needs IP"),
            (vsock && udp, "-u cannot be used with vsock"),
            (vsock && args.zero, "-z cannot be used with vsock"),
            (
                vsock && (args.ipv4 || args.ipv6),
                "-4 and -6 cannot be used with vsock",
            ),
            (
                vsock && args.proxy.is_some(),
                "-x cannot be used with vsock",
            ),
            (
                vsock && args.source.is_some(),
                "-s cannot be used with vsock",
            ),
            (vsock && args.pass_fd, "-F cannot be used with vsock"),
            (
                unix && args.source.is_some() && !(udp || listen),
                "-s with -U needs -u or -l",
            ),
            (unix && args.zero && listen, "-z cannot be used with -l"),
            (
                unix && (args.ipv4 || args.ipv6),
                "-4 and -6 cannot be used with -U",
            ),
        ];
        match table
            .iter()
            .find(|(found, _)| *found && !self.dialect.strict_operands)
        {
            Some((_, message)) => said(*message),
            None => Ok(()),
        }
    }
}
