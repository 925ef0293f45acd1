//! Who may come in.

use crate::parse::host_set::HostSet;
use crate::parse::hosts::HostSpec;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Who may come in, as typed: no name is looked up yet, and no file read.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The only hosts that may; `None`: all.
    pub allow: Option<HostList>,
    /// Hosts that may not, whatever the other list says.
    pub deny: HostList,
    /// The only users whose processes may, by way of a Unix socket; `None`: all.
    pub users: Option<Vec<u32>>,
    /// It is told when all hosts may come that can reach this machine: they would run a program.
    pub warns_if_open: bool,
}

/// Hosts, as typed.
#[derive(Clone, Debug, Default)]
pub struct HostList {
    /// Those of the command line.
    pub specs: Vec<HostSpec>,
    /// Files with more, between white space.
    pub files: Vec<PathBuf>,
}

impl Access {
    /// Says whether a part of it stands in files, which can be read again.
    pub fn has_files(&self) -> bool {
        let mut lists = self.allow.iter().chain([&self.deny]);
        lists.any(|list| !list.files.is_empty())
    }
}

/// Who may come in: what an `Access` has come to. All may where it is empty.
#[derive(Clone, Debug, Default)]
pub struct Admission {
    /// The only hosts that may; `None`: all.
    pub allow: Option<HostSet>,
    /// Hosts that may not.
    pub deny: HostSet,
    /// The only users that may; `None`: all.
    pub users: Option<Vec<u32>>,
}

impl Admission {
    /// Says whether there are hosts that may not come in.
    pub fn limits_hosts(&self) -> bool {
        self.allow.is_some() || self.deny != HostSet::default()
    }

    /// Says whether a host may come in.
    pub fn admits_host(&self, peer: &SocketAddr) -> bool {
        let is_allowed = self.allow.as_ref().is_none_or(|hosts| hosts.has(peer));
        is_allowed && !self.deny.has(peer)
    }

    /// Says whether a process of a user may come in; `None` is one of whom nothing is known. Where
    /// only some hosts may, nobody may who comes from none.
    pub fn admits_user(&self, uid: Option<u32>) -> bool {
        let may = |users: &Vec<u32>| uid.is_some_and(|uid| users.contains(&uid));
        self.allow.is_none() && self.users.as_ref().is_none_or(may)
    }
}
