//! Any number of hosts, to look clients up in.

use super::hosts::{Hosts, Octets};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Any number of hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostSet {
    /// Blocks in order, none of which reaches into the next: lists of bad hosts are long, and every
    /// client is looked up in them.
    blocks: Vec<(IpAddr, IpAddr)>,
    patterns: Vec<[Octets; 4]>,
    at_interfaces: Vec<(IpAddr, IpAddr, u32)>,
}

impl HostSet {
    /// Returns whether a peer is in the set: its address, or its address at its interface.
    pub fn has(&self, peer: &SocketAddr) -> bool {
        let (ip, scope) = match peer {
            SocketAddr::V4(v4) => (IpAddr::V4(*v4.ip()), 0),
            SocketAddr::V6(v6) => (IpAddr::V6(*v6.ip()), v6.scope_id()),
        };
        let mut at = self.at_interfaces.iter();
        self.contains(ip)
            || at.any(|(first, last, at)| *at == scope && (first..=last).contains(&&ip))
    }

    /// Returns whether an address is in the set; one that is mapped into IPv6 counts as IPv4.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        let after = self.blocks.partition_point(|(first, _)| *first <= ip);
        let in_block = after > 0 && ip <= self.blocks[after - 1].1;
        in_block || matches!(ip, IpAddr::V4(v4) if self.fits_pattern(v4))
    }

    fn fits_pattern(&self, ip: Ipv4Addr) -> bool {
        let fits = |pattern: &[Octets; 4]| {
            let mut pairs = pattern.iter().zip(ip.octets());
            pairs.all(|(octets, value)| octets.contains(value))
        };
        self.patterns.iter().any(fits)
    }
}

impl FromIterator<Hosts> for HostSet {
    fn from_iter<T: IntoIterator<Item = Hosts>>(hosts: T) -> HostSet {
        let mut set = HostSet::default();
        let mut blocks: Vec<(IpAddr, IpAddr)> = Vec::new();
        for hosts in hosts {
            match hosts {
                Hosts::Block(first, last) => blocks.push((first, last)),
                Hosts::Pattern(pattern) => set.patterns.push(pattern),
                Hosts::AtInterface(first, last, index) => {
                    set.at_interfaces.push((first, last, index));
                }
            }
        }
        blocks.sort_unstable();
        for (first, last) in blocks {
            match set.blocks.last_mut() {
                Some((_, end)) if first <= *end => *end = last.max(*end),
                _ => set.blocks.push((first, last)),
            }
        }
        set
    }
}
