//! Names are looked up, and only addresses of the internet are called: a name that
//! somebody gave us may lead inside a network, or do so tomorrow.

use std::net::SocketAddr;

use carillon_domain::outside_url::is_public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

#[derive(Debug)]
pub struct Public;

impl Resolve for Public {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let outside: Vec<SocketAddr> = found.filter(|at| is_public(at.ip())).collect();
            if outside.is_empty() {
                return Err("the name leads to no address on the internet".into());
            }
            Ok(Box::new(outside.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::client::{CallError, Client};
    use crate::contract::{HttpRequest, Method};

    /// The port is open; nobody gets there.
    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_called() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let client = Client::outside().expect("a client");
        let url = format!("http://localhost:{port}/");
        let request = HttpRequest { method: Method::Get, url, headers: Vec::new(), body: None };
        let refused = client.call(request, Duration::from_secs(10)).await.err();
        assert!(matches!(refused, Some(CallError::NotSent(_))), "{refused:?}");
    }
}
