//! Words for hosts, as Ncat's own tests have them, and sets of them.

use super::*;
use crate::parse::host_set::HostSet;
use proptest::prelude::*;

/// The set of words that are no names.
fn set(words: &str) -> HostSet {
    let read = |word| match host(word) {
        Ok(HostSpec::Hosts(hosts)) => hosts,
        other => panic!("{word}: {other:?}"),
    };
    words.split_whitespace().map(read).collect()
}

#[track_caller]
fn check(words: &str, inside: &str, outside: &str) {
    let set = set(words);
    let contains = |ip: &str| set.contains(ip.parse().expect("an address"));
    for ip in inside.split_whitespace() {
        assert!(contains(ip), "{words}: {ip} is missing");
    }
    for ip in outside.split_whitespace() {
        assert!(!contains(ip), "{words}: {ip} is in it");
    }
}

#[test]
fn an_empty_set_has_nobody() {
    check("", "", "1.2.3.4 0.0.0.0 255.255.255.255 :: ::1");
}

#[test]
fn addresses_are_compared_as_numbers() {
    check(
        "1.2.3.4",
        "1.2.3.4 ::ffff:1.2.3.4",
        "1.2.3.3 1.2.3.5 ::1.2.3.4 ::",
    );
    check(
        "1:2:3:0::4",
        "1:2:3::4 1:2:3:0:0:0:0:4",
        "1:2:3::5 1:2:3:4::",
    );
    check("FE80::ABCD", "fe80::abcd", "fe80::abce");
    check("::ffff:1.2.3.4", "1.2.3.4", "1.2.3.5 ::1.2.3.4");
    check("1.2.3.4 ::1", "1.2.3.4 ::1", "0.0.0.1 ::2");
}

#[test]
fn octets_are_sets_that_combine() {
    check(
        "10.1-5.2.3",
        "10.1.2.3 10.3.2.3 10.5.2.3",
        "10.0.2.3 10.6.2.3",
    );
    check("1.2.3.-7", "1.2.3.0 1.2.3.7", "1.2.3.8");
    check("1.2.3.250-", "1.2.3.250 1.2.3.255", "1.2.3.249");
    check("1.-.3.*", "1.0.3.0 1.255.3.255 1.7.3.9", "1.7.4.9 2.7.3.9");
    check(
        "2,3,5-7.0.0.1",
        "2.0.0.1 3.0.0.1 5.0.0.1 7.0.0.1",
        "1.0.0.1 4.0.0.1 8.0.0.1",
    );
    check("192.168-168.0.1", "192.168.0.1", "192.167.0.1 192.169.0.1");
    check(
        "192-200,202.0.0.1,3-5",
        "192.0.0.1 200.0.0.3 202.0.0.5 196.0.0.4",
        "201.0.0.1 202.0.0.2 191.0.0.1 202.0.0.6",
    );
    check("*.*.*.*", "0.0.0.0 255.255.255.255", "::1");
    check("1.2.3.4,4,4", "1.2.3.4", "1.2.3.5");
    check("-,5.1.1.1", "0.1.1.1 5.1.1.1 255.1.1.1", "5.1.1.2");
}

#[test]
fn a_mask_counts_for_every_element() {
    check("1.2.3.4/24", "1.2.3.0 1.2.3.255", "1.2.2.255 1.2.4.0");
    check("1.2.3.4/32", "1.2.3.4", "1.2.3.5");
    check("1.2.3.4/0", "0.0.0.0 255.255.255.255", ":: ::1");
    check("1.2.3.4/31", "1.2.3.4 1.2.3.5", "1.2.3.3 1.2.3.6");
    check(
        "192.168.0.5,30,191/30",
        "192.168.0.4 192.168.0.7 192.168.0.28 192.168.0.31 192.168.0.188 192.168.0.191",
        "192.168.0.3 192.168.0.8 192.168.0.27 192.168.0.32 192.168.0.187 192.168.0.192",
    );
    check(
        "1-5.1-5.1-5.1-5/28",
        "1.2.3.0 1.2.3.7 5.5.5.15",
        "1.2.3.16 1.2.6.0 0.1.1.1",
    );
    check("1-2.*.0.0/4", "0.0.0.0 15.255.255.255", "16.0.0.0");
}

#[test]
fn an_ipv6_mask_need_not_end_at_a_group() {
    check(
        "1:2::3:4:5/95",
        "1:2::3:4:5 1:2::2:4:5 1:2::3:ffff:ffff",
        "1:2::1:ffff:0 1:2::4:0:0",
    );
    check("11::2/15", "11::2 10::1 11:ffff::", "12:: f::");
    check("fe80::/10", "fe80::1 febf::1", "fec0:: fe7f::");
    check("::1/128", "::1", "::2 ::");
    check(
        "::1/0",
        ":: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "1.2.3.4 ::ffff:1.2.3.4",
    );
    check("::ffff:1.2.3.4/120", "1.2.3.0 1.2.3.255", "1.2.4.0");
}

#[test]
fn an_interface_counts_as_the_address_does() {
    let read = |word: &str| match host(word) {
        Ok(HostSpec::AtInterface(hosts, name)) if name == "eth0" => hosts.at_interface(7),
        other => panic!("{word}: {other:?}"),
    };
    let set: HostSet = ["fe80::1%eth0", "fe80::8:0%eth0/112"]
        .map(read)
        .into_iter()
        .collect();
    let has = |ip: &str, scope| {
        set.has(&std::net::SocketAddrV6::new(ip.parse().unwrap(), 1, 0, scope).into())
    };
    assert!(has("fe80::1", 7) && has("fe80::8:ffff", 7));
    assert!(!has("fe80::1", 8) && !has("fe80::1", 0) && !has("fe80::2", 7));
    assert_eq!(host("2001:db8::1%eth0"), Err(HostError::NotLinkLocal));
    assert_eq!(host("fe80::1%"), Err(HostError::NotV6));
    assert_eq!(host("fe80::1%eth0/129"), Err(HostError::TooManyBits(128)));
}

#[test]
fn names_are_kept_with_their_mask() {
    let name = |text: &str, bits| Ok(HostSpec::Name(text.into(), bits));
    assert_eq!(host("localhost"), name("localhost", None));
    assert_eq!(host("example.org/24"), name("example.org", Some(24)));
    assert_eq!(host("a.example./128"), name("a.example.", Some(128)));
    assert_eq!(host("under_score.a-b.x1"), name("under_score.a-b.x1", None));
    assert_eq!(host("10-5.2.3.4.example"), name("10-5.2.3.4.example", None));
    assert_eq!(host("1a"), name("1a", None));
    assert_eq!(host("example.org/129"), Err(HostError::TooManyBits(128)));
}

#[test]
fn what_ncat_rejects_is_rejected() {
    let words = ". - , / 1.2.3.4, ,1.2.3.4 1.2.3.4.5 1 1.2 1.2.3 1:2:3:4:5:6:7:8:9 11::22::33 \
                 256.256.256.256 FFFFF::FFFFF 10-5.2.3.4 *10.10.10.10 10*.10.10.10 *,5.10.10.10 \
                 5-10-15.10.10.10 -10-15.10.10.10 10-15-.10.10.10 ,.6.7.8 5,.5.5.5 ,5.5.5.5 \
                 5,,5.5.5.5 +1.2.3.4 +1.+2.+3.+4 1.2.3.4/ 1.2.3.4/33 1.2.3.4/+24 1.2.3.4/24abc \
                 1.2.3.4//24 1.2.3.4/-0 1.2.3.4/24/24 1.2.3.4/99999 1.2.3.0-5/33 FF::FF/129 FF::FF/ \
                 01.02.03.04 1.2.3.0-08 1.2.3.256- 1.2.3.1-256 [::1] fe80::1% ::ffff:1.2.3.4/129 \
                 *.example.org a..b .a localhost/ localhost/x 1.2.3.4\0 1..3.4 1.2.3.4.";
    for word in words.split(' ').chain(["", "a b", "FF::FF/ 1"]) {
        assert!(host(word).is_err(), "{word:?}: {:?}", host(word));
    }
}

#[test]
fn errors_say_what_is_wrong() {
    for (word, error) in [
        ("10-5.2.3.4", HostError::Backwards),
        ("1.2.3.4/33", HostError::TooManyBits(32)),
        ("FF::FF/129", HostError::TooManyBits(128)),
        ("1.2.3", HostError::NotFourOctets),
        ("1.2.3.300", HostError::BadOctet),
        ("1.2.3.4/x", HostError::BadBits),
        ("1::2::3", HostError::NotV6),
        ("+1.2.3.4", HostError::NotAHost),
    ] {
        assert_eq!(host(word), Err(error), "{word}");
    }
}

#[test]
fn blocks_may_lie_within_each_other() {
    check(
        "10.0.0.0/8 10.1.0.0/16 9.9.9.9 10.255.255.255 11.0.0.0/31 ::/64 ::5 1::",
        "9.9.9.9 10.0.0.0 10.1.2.3 10.255.255.255 11.0.0.1 ::5 ::ffff:ffff 1::",
        "9.9.9.10 11.0.0.2 0:0:0:1:: 1::1",
    );
}

proptest! {
    #[test]
    fn a_word_is_an_address_or_what_it_says(word in "[0-9a-fx*,./:%-]{0,20}") {
        match (host(&word), word.parse::<IpAddr>()) {
            (read, Ok(ip)) => prop_assert_eq!(read, Ok(HostSpec::Hosts(
                Hosts::around(ip, None).expect("an address")
            ))),
            (Ok(HostSpec::Name(name, _)), _) => {
                prop_assert!(word.starts_with(&name) && !name.contains([':', '*', ',', '/']));
            }
            (Ok(HostSpec::Hosts(_)), _) => {
                prop_assert!(word.contains(['/', '*', ',', '-']), "{}", word);
            }
            (Ok(HostSpec::AtInterface(_, name)), Err(_)) => {
                prop_assert!(word.contains(&format!("%{name}")), "{}", word);
            }
            (Err(_), _) => {}
        }
    }

    #[test]
    fn a_block_and_a_pattern_of_the_same_hosts_agree(ip: u32, other: u32, bits in 0u8..=32) {
        let near = ip ^ (other >> (bits / 2));
        let octets = Ipv4Addr::from_bits(ip).octets();
        let [a, b, c, d] = octets;
        let block = set(&format!("{a}.{b}.{c}.{d}/{bits}"));
        let pattern = set(&format!("{a}-{a}.{b}.{c},{c}.{d}/{bits}"));
        for ip in [ip, other, near] {
            let ip = IpAddr::V4(Ipv4Addr::from_bits(ip));
            prop_assert_eq!(block.contains(ip), pattern.contains(ip));
        }
        prop_assert!(block.contains(IpAddr::V4(Ipv4Addr::from_bits(ip))));
    }

    #[test]
    fn a_set_has_what_its_words_have(blocks: Vec<(u32, u8)>, ip: u32) {
        let block = |(ip, bits): &(u32, u8)| {
            Hosts::around(Ipv4Addr::from_bits(*ip).into(), Some(bits % 33)).expect("a block")
        };
        let whole: HostSet = blocks.iter().map(block).collect();
        let mut ips: Vec<u32> = blocks.iter().map(|(ip, bits)| ip ^ (1 << (bits % 32))).collect();
        ips.push(ip);
        for ip in ips {
            let ip = IpAddr::V4(Ipv4Addr::from_bits(ip));
            let any = blocks.iter().any(|one| HostSet::from_iter([block(one)]).contains(ip));
            prop_assert_eq!(whole.contains(ip), any);
        }
    }
}
