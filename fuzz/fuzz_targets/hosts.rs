//! Host lists: a word gives a set that has the addresses written in it, or an error with a text;
//! sets keep to their family, and joined ones have what each of them has.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rnc::parse::host_set::HostSet;
use rnc::parse::hosts::{HostSpec, Hosts, host};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

fuzz_target!(|input: (&str, u32, u128)| {
    let (text, v4, v6) = input;
    let ips: [IpAddr; 2] = [
        Ipv4Addr::from_bits(v4).into(),
        Ipv6Addr::from_bits(v6).into(),
    ];
    let mut all: Vec<Hosts> = Vec::new();
    for word in text.split_ascii_whitespace() {
        match host(word) {
            Ok(HostSpec::Hosts(hosts)) => {
                let set = HostSet::from_iter([hosts.clone()]);
                if let Ok(ip) = word.parse() {
                    assert!(set.contains(ip));
                }
                all.push(hosts);
            }
            Ok(HostSpec::AtInterface(hosts, name)) => {
                assert!(word.contains(&format!("%{name}")));
                all.push(hosts.at_interface(1));
            }
            Ok(HostSpec::Name(name, bits)) => {
                assert!(word.starts_with(&name) && bits.is_none_or(|bits| bits <= 128));
                assert!(!name.contains(['/', ':', '*', ',', '\0']));
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    let whole: HostSet = all.iter().cloned().collect();
    for ip in ips {
        let mut sets = all.iter().map(|hosts| HostSet::from_iter([hosts.clone()]));
        assert_eq!(whole.contains(ip), sets.any(|set| set.contains(ip)));
    }
});
