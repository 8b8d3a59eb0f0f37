//! Where a request came from: the address that API Gateway saw, or the socket's
//! on the local stack. What the client itself writes into headers
//! (`X-Forwarded-For` and its like) is never believed.

use std::net::{IpAddr, Ipv6Addr};

use axum::extract::Request;
use lambda_http::request::RequestContext;

/// The other end of the connection, where the server saw it itself.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// `None` when nobody saw it.
pub fn address(request: &Request) -> Option<IpAddr> {
    let extensions = request.extensions();
    match extensions.get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            context.http.source_ip.as_deref()?.parse().ok()
        }
        // Behind anything else we do not know whom to believe.
        Some(_) => None,
        None => extensions.get::<Peer>().map(|peer| peer.0),
    }
}

/// The network of one customer: an IPv4 address, or the /64 of an IPv6 one, in
/// which a client changes its address at will.
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_what_one_customer_has() {
        for (address, expected) in [
            ("203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("::1", "::"),
        ] {
            let address: IpAddr = address.parse().expect("an address");
            assert_eq!(network(address).to_string(), expected);
        }
    }
}
