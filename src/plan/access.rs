//! Access rules.

use crate::parse::host_set::HostSet;
use crate::parse::hosts::HostSpec;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Access rules, as typed: no name is looked up yet, and no file read.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The only hosts admitted; `None`: all.
    pub allow: Option<HostList>,
    /// Hosts that are denied, also if the other list has them.
    pub deny: HostList,
    /// The only users whose processes are admitted at a Unix socket; `None`: all.
    pub users: Option<Vec<u32>>,
    /// A warning is printed where any host that reaches this machine can run a program.
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
    /// Returns whether a part of them is in files, which can be read again.
    pub fn has_files(&self) -> bool {
        let mut lists = self.allow.iter().chain([&self.deny]);
        lists.any(|list| !list.files.is_empty())
    }
}

/// Access rules with names looked up and files read. All are admitted where they are empty.
#[derive(Clone, Debug, Default)]
pub struct Admission {
    /// The only hosts admitted; `None`: all.
    pub allow: Option<HostSet>,
    /// Hosts that are denied.
    pub deny: HostSet,
    /// The only users admitted; `None`: all.
    pub users: Option<Vec<u32>>,
}

impl Admission {
    /// Returns whether some hosts are denied.
    pub fn limits_hosts(&self) -> bool {
        self.allow.is_some() || self.deny != HostSet::default()
    }

    /// Returns whether a host is admitted.
    pub fn admits_host(&self, peer: &SocketAddr) -> bool {
        let is_allowed = self.allow.as_ref().is_none_or(|hosts| hosts.has(peer));
        is_allowed && !self.deny.has(peer)
    }

    /// Returns whether a process of a user is admitted; `None` is an unknown user. Where only some
    /// hosts are admitted, a client without a host is not.
    pub fn admits_user(&self, uid: Option<u32>) -> bool {
        let may = |users: &Vec<u32>| uid.is_some_and(|uid| users.contains(&uid));
        self.allow.is_none() && self.users.as_ref().is_none_or(may)
    }
}
