//! Proxies.

use super::*;

#[test]
fn proxies_are_read_with_their_standard_ports() {
    use ProxyNames::{Both, Local, Neither, Remote};
    for (words, kind, port, names) in [
        ("-x p h 80", ProxyKind::Socks5, 1080, Remote),
        ("-X 5 -x p h 80", ProxyKind::Socks5, 1080, Remote),
        ("-X 4 -x p h 80", ProxyKind::Socks4, 1080, Local),
        ("-X 4a -x p h 80", ProxyKind::Socks4, 1080, Remote),
        ("-X 4A -x p h 80", ProxyKind::Socks4, 1080, Remote),
        ("-X connect -x p h 80", ProxyKind::Http, 3128, Remote),
        ("-X CONNECT -x p h 80", ProxyKind::Http, 3128, Remote),
        ("-X http -x p:8080 h 80", ProxyKind::Http, 8080, Remote),
        ("-x p:99 h 80", ProxyKind::Socks5, 99, Remote),
        (
            "-x p --proxy-dns local h 80",
            ProxyKind::Socks5,
            1080,
            Local,
        ),
        (
            "-x p --proxy-dns none h 80",
            ProxyKind::Socks5,
            1080,
            Neither,
        ),
        (
            "-X 4 -x p --proxy-dns both h 80",
            ProxyKind::Socks4,
            1080,
            Both,
        ),
        (
            "-X 4 -x p --proxy-dns remote h 80",
            ProxyKind::Socks4,
            1080,
            Remote,
        ),
        (
            "-X 4a -x p --proxy-dns local h 80",
            ProxyKind::Socks4,
            1080,
            Local,
        ),
    ] {
        let proxy = proxy(words, &facts());
        assert_eq!((proxy.kind, proxy.port), (kind, port), "{words}");
        assert_eq!((proxy.host.as_str(), proxy.names), ("p", names), "{words}");
    }
    assert_eq!(proxy("-x [::1]:99 h 80", &facts()).host, "::1");
}

#[test]
fn proxy_logins_come_from_options_before_the_environment() {
    let known = Facts {
        proxy_auth: Some("env:secret".into()),
        ..facts()
    };
    let login = |words: &str, facts: &Facts| {
        let proxy = proxy(words, facts);
        (proxy.user, proxy.password)
    };
    let some = |text: &str| Some(text.to_string());
    assert_eq!(login("-x p h 80", &facts()), (None, None));
    assert_eq!(login("-x p h 80", &known), (some("env"), some("secret")));
    let typed = "-x p --proxy-auth me:a:b h 80";
    assert_eq!(login(typed, &known), (some("me"), some("a:b")));
    assert_eq!(
        login("-x p --proxy-auth me h 80", &facts()),
        (some("me"), None)
    );
    assert_eq!(login("-x p -P me h 80", &facts()), (some("me"), None));
}
