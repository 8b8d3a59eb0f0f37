//! An address on the internet that somebody gave us: media that a provider is
//! to fetch, a place to call back. Never one inside a network.
//!
//! The host is read as browsers read it, so the other ways to write an IPv4
//! address (decimal, octal, hexadecimal, short) come out as what they are. A
//! name may still lead to a private address: whoever calls it must look at what
//! it resolves to ([`is_public`]).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Longest address that is taken, in characters.
pub const LONGEST: usize = 1_000;

/// Names that stand for something inside.
const INSIDE: [&str; 8] =
    ["localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa"];

#[derive(Clone, PartialEq, Eq)]
pub struct OutsideUrl(Url);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutsideUrlError {
    #[error("the address is not a URL of at most {LONGEST} characters")]
    Unreadable,
    #[error("the address must begin with https://")]
    NotHttps,
    #[error("the address must not carry a user or password")]
    WithUser,
    #[error("the address must lead to a host on the internet")]
    Inside,
}

impl OutsideUrlError {
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "invalid_url",
            Self::NotHttps => "url_not_https",
            Self::WithUser => "url_with_user",
            Self::Inside => "url_not_public",
        }
    }
}

impl OutsideUrl {
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, OutsideUrlError> {
        // What a parser would drop in silence is not an address.
        let is_plain = text.chars().all(|c| !c.is_control() && !c.is_whitespace() && c != '\\');
        if text.chars().count() > LONGEST || !is_plain {
            return Err(OutsideUrlError::Unreadable);
        }
        let url = Url::parse(text).map_err(|_| OutsideUrlError::Unreadable)?;
        if url.scheme() != "https" || !text.to_ascii_lowercase().starts_with("https://") {
            return Err(OutsideUrlError::NotHttps);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OutsideUrlError::WithUser);
        }
        let is_outside = match url.host() {
            Some(Host::Domain(name)) => is_public_name(name),
            Some(Host::Ipv4(ip)) => is_public(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => is_public(IpAddr::V6(ip)),
            None => false,
        };
        if is_outside { Ok(Self(url)) } else { Err(OutsideUrlError::Inside) }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for OutsideUrl {
    /// Path and query may carry a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OutsideUrl({}…)", self.0.host_str().unwrap_or_default())
    }
}

fn is_public_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    let last = name.rsplit('.').next().unwrap_or_default();
    name.contains('.') && !INSIDE.contains(&last)
}

/// Whether an address is of the internet: not of a machine, a link or a private
/// network, and not reserved. An IPv6 address that carries an IPv4 one is
/// judged by that.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => match carried(ip) {
            Some(ip) => is_public_v4(ip),
            None => is_public_v6(ip),
        },
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    let is_protocol = a == 192 && b == 0 && c == 0;
    let is_relay = a == 192 && b == 88 && c == 99;
    let is_benchmark = a == 198 && (b == 18 || b == 19);
    !(a == 0
        || a >= 224
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || is_shared
        || is_protocol
        || is_relay
        || is_benchmark)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    let is_global = a & 0xe000 == 0x2000;
    let is_documentation = (a == 0x2001 && b == 0x0db8) || (a & 0xfff0 == 0x3ff0);
    let is_protocol = a == 0x2001 && b < 0x0200;
    is_global && !is_documentation && !is_protocol
}

/// The IPv4 address in a mapped, compatible, translated (64:ff9b::) or 6to4
/// address.
fn carried(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match ip.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(v4(high, low))
        }
        [0, 0, 0, 0, 0xffff, 0, high, low] => Some(v4(high, low)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_outside_is_taken() {
        for text in [
            "https://example.com",
            "https://example.com/a.png?x=1#y",
            "HTTPS://EXAMPLE.com:8443/",
            "https://cdn.example.co.in/a%20b.jpg",
            "https://8.8.8.8/a",
            "https://[2606:4700:4700::1111]/a",
            "https://xn--bcher-kva.example/",
            "https://bücher.example/",
        ] {
            assert!(OutsideUrl::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn an_address_inside_is_refused_however_it_is_written() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "printer",
            "printer.local",
            "metadata.google.internal",
            "1.0.0.127.in-addr.arpa",
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "017700000001",
            "0177.0.0.1",
            "0",
            "0.0.0.0",
            "10.0.0.1",
            "10.0.0.1.",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "0xa9fea9fe",
            "100.64.0.1",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "%31%32%37.0.0.1",
            "１２７.0.0.1",
            "①②⑦.0.0.1",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a9fe:a9fe]",
            "[::ffff:0:10.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[fe80::1]",
            "[fc00::1]",
            "[fd12:3456::1]",
            "[fec0::1]",
            "[ff02::1]",
            "[2001:db8::1]",
            "[2001::1]",
            "[100::1]",
        ] {
            let text = format!("https://{host}/latest/meta-data");
            assert_eq!(OutsideUrl::parse(&text), Err(OutsideUrlError::Inside), "{text}");
        }
    }

    #[test]
    fn what_is_no_plain_https_address_is_refused() {
        use OutsideUrlError::{NotHttps, Unreadable, WithUser};
        let long = format!("https://example.com/{}", "a".repeat(LONGEST));
        for (text, error) in [
            ("", Unreadable),
            ("example.com/a.png", Unreadable),
            ("https://", Unreadable),
            ("https://[::1", Unreadable),
            ("https://exa mple.com", Unreadable),
            (" https://example.com", Unreadable),
            ("https://example.com/\r\nHost: x", Unreadable),
            ("https://example.com\\@127.0.0.1/", Unreadable),
            ("https://999.1.1.1/", Unreadable),
            (&long, Unreadable),
            ("http://example.com", NotHttps),
            ("ftp://example.com", NotHttps),
            ("file:///etc/passwd", NotHttps),
            ("javascript:alert(1)", NotHttps),
            ("data:text/plain,hi", NotHttps),
            ("https:example.com", NotHttps),
            ("https:/example.com", NotHttps),
            ("https://user@example.com", WithUser),
            ("https://user:secret@example.com", WithUser),
            ("https://:secret@example.com", WithUser),
        ] {
            assert_eq!(OutsideUrl::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn what_is_shown_of_it_is_the_host() {
        let url = OutsideUrl::parse("https://example.com/secret?token=1").expect("an address");
        assert_eq!(format!("{url:?}"), "OutsideUrl(example.com…)");
    }
}
