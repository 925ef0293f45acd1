//! Where to go: what the operands, `-p` and `-s` mean together.

use super::missing::is_port;
use super::*;
use crate::parse::hostport::AddressError;

impl Planner<'_> {
    pub(super) fn place(&self) -> Result<Place, Wrong> {
        Ok(match (self.typed_place()?, self.dialect.default_port) {
            (Place::Ip { host, ports }, Some(port)) if ports.is_empty() => Place::Ip {
                host,
                ports: vec![port.to_string()],
            },
            (place, _) => place,
        })
    }

    fn typed_place(&self) -> Result<Place, Wrong> {
        if self.dialect.strict_operands {
            self.check_nc_operands()?;
        }
        let operands = &self.args.operands;
        let first = operands.first().map(OsString::as_os_str);
        if self.args.unix {
            return self.unix_place(first);
        }
        if self.args.vsock {
            return self.vsock_place();
        }
        let read = |word: &OsStr| match hostport::address(word) {
            Ok(Address::HostPort(_, port)) if port.starts_with("//") => {
                Err(self.bad_address(word, &AddressError::Colons))
            }
            Ok(Address::AnyHost(_)) if !self.args.listen || self.dialect.strict_operands => {
                Err(self.bad_address(word, &AddressError::NoHost))
            }
            read => read.map_err(|error| self.bad_address(word, &error)),
        };
        let address = first.map(read).transpose()?;
        let rest: Vec<String> = operands.iter().skip(1).map(|word| text(word)).collect();
        let ip = |host, ports| Ok(Place::Ip { host, ports });
        match address {
            Some(Address::Unix(path)) => self.alone(Place::Unix(path)),
            Some(Address::Vsock(cid, port)) => self.alone(Place::Vsock(cid, port)),
            Some(Address::HostPort(host, port)) => {
                self.one_port(&port, &rest)?;
                self.check_host(&host)?;
                ip(Some(host), vec![port])
            }
            Some(Address::AnyHost(port)) => {
                self.one_port(&port, &rest)?;
                ip(self.source_host(), vec![port])
            }
            Some(Address::Host(word)) if self.args.listen => self.listen_place(word, rest),
            Some(Address::Host(host)) => {
                if !rest.is_empty() || self.dialect.default_port.is_some() {
                    self.check_host(&host)?;
                }
                ip(Some(host), rest)
            }
            None if self.args.listen => {
                let ports = self.args.source_port.iter().cloned().collect();
                ip(self.source_host(), ports)
            }
            None => ip(None, Vec::new()),
        }
    }

    /// `-p` where it means the port to listen on.
    pub(super) fn listen_port_option(&self) -> Option<&String> {
        self.args.source_port.as_ref().filter(|_| self.args.listen)
    }

    pub(super) fn source_host(&self) -> Option<String> {
        self.args.source.as_ref().map(|word| text(word))
    }

    /// Refuses another port beside that of an address word.
    fn one_port(&self, port: &str, rest: &[String]) -> Result<(), Wrong> {
        match rest.first().or(self.listen_port_option()) {
            Some(again) => said(format!("port given twice: {port} and {again}")),
            None => Ok(()),
        }
    }

    /// `-l` with operands: PORT, HOST PORT, or HOST with -p.
    fn listen_place(&self, first: String, rest: Vec<String>) -> Result<Place, Wrong> {
        match (rest.as_slice(), self.listen_port_option()) {
            ([], None) if self.is_host(&first) => Ok(Place::Ip {
                host: Some(first),
                ports: Vec::new(),
            }),
            ([], None) => Ok(Place::Ip {
                host: self.source_host(),
                ports: vec![first],
            }),
            ([], Some(again)) if self.is_second_port(&first) => {
                said(format!("port given twice: {first} and -p {again}"))
            }
            ([port], None) if self.is_second_port(&first) => {
                said(format!("-l takes one port: {port} is too many"))
            }
            ([], Some(port)) | ([port], None) => {
                self.one_listen_host(&first)?;
                Ok(Place::Ip {
                    // Without one rnc listens on every address.
                    host: Some(first).filter(|host| host != hostport::ANY),
                    ports: vec![port.clone()],
                })
            }
            ([port, ..], Some(again)) => said(format!("port given twice: {port} and -p {again}")),
            ([_, extra, ..], None) => said(format!("-l takes one port: {extra} is too many")),
        }
    }

    /// Returns whether what stands in the place of a host is one port too many.
    fn is_second_port(&self, word: &str) -> bool {
        is_port(word) && !self.dialect.strict_operands
    }

    /// Whether the only operand of `-l` is a host: where the port may be missing, what is no
    /// number is one.
    fn is_host(&self, word: &str) -> bool {
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
        self.dialect.default_port.is_some() && !is_number
    }

    fn one_listen_host(&self, host: &str) -> Result<(), Wrong> {
        match self.source_host() {
            Some(source) => said(format!("address given twice: {host} and -s {source}")),
            None => Ok(()),
        }
    }

    fn unix_place(&self, first: Option<&OsStr>) -> Result<Place, Wrong> {
        if self.args.operands.len() > 1 || self.args.source_port.is_some() {
            return said("cannot use port with -U");
        }
        let listen_source = self.args.source.as_ref().filter(|_| self.args.listen);
        if let (Some(first), Some(_)) = (first, listen_source) {
            self.one_listen_host(&text(first))?;
        }
        match first.or(listen_source.map(OsString::as_os_str)) {
            Some(word) => match hostport::address(word) {
                Ok(Address::Unix(path)) => Ok(Place::Unix(path)),
                _ => Ok(Place::Unix(PathBuf::from(word))),
            },
            None => Ok(Place::Unix(PathBuf::new())),
        }
    }

    /// `--vsock`: CID PORT, or with `-l` only the port.
    fn vsock_place(&self) -> Result<Place, Wrong> {
        let words: Vec<String> = self.args.operands.iter().map(|word| text(word)).collect();
        let (cid, port) = match (words.as_slice(), self.listen_port_option()) {
            ([cid, port], None) => (Some(cid), port),
            ([cid], Some(port)) => (Some(cid), port),
            ([port], None) if self.args.listen => (None, port),
            ([], Some(port)) => (None, port),
            _ => return said("--vsock takes CID PORT, or with -l only PORT"),
        };
        let number = |what: &str, word: &String| {
            let bad = |_| format!("{what} {}: not a 32-bit number", word.escape_debug());
            word.parse::<u32>().map_err(|error| Wrong::Said(bad(error)))
        };
        let cid = cid.map(|cid| number("CID", cid)).transpose()?;
        Ok(Place::Vsock(cid, number("port", port)?))
    }

    fn alone(&self, place: Place) -> Result<Place, Wrong> {
        match self
            .args
            .operands
            .get(1)
            .map(|word| text(word))
            .or(self.args.source_port.clone())
        {
            Some(extra) => said(format!(
                "{}: no port goes with it, but there is {extra}",
                text(&self.args.operands[0])
            )),
            None => Ok(place),
        }
    }

    /// The combinations of operands, -p and -s that OpenBSD nc takes.
    fn check_nc_operands(&self) -> Result<(), Wrong> {
        let args = self.args;
        let (port, source) = (args.source_port.is_some(), args.source.is_some());
        let fits = match args.operands.len() {
            0 => args.listen,
            1 => !port && (!source || (args.unix && args.udp && !args.listen)),
            2 => !(args.listen && (port || source)),
            _ => !args.listen,
        };
        if fits {
            Ok(())
        } else {
            Err(Wrong::Shape("usage".into()))
        }
    }
}
