//! Against real sockets: what the client says of each way a call can end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::contract::Body;

const SECRET: &str = "s3cret-in-the-url";

fn request(port: u16) -> HttpRequest {
    HttpRequest {
        method: Method::Post,
        url: format!("http://127.0.0.1:{port}/send?key={SECRET}"),
        headers: vec![("authorization", "Basic abc".into())],
        body: Some(Body { content_type: "text/plain", text: "hello".to_owned() }),
    }
}

/// A server that reads a request, writes `answer` and closes. Also counts.
async fn server(answer: Vec<u8>) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            read_request(&mut stream).await;
            let _ = stream.write_all(&answer).await;
        }
    });
    (port, count)
}

async fn read_request(stream: &mut TcpStream) {
    let mut seen = Vec::new();
    let mut buffer = [0; 1024];
    while !seen.ends_with(b"hello") {
        match stream.read(&mut buffer).await {
            Ok(n) if n > 0 => seen.extend_from_slice(&buffer[..n]),
            _ => return,
        }
    }
}

async fn call(request: HttpRequest, millis: u64) -> Result<HttpAnswer, CallError> {
    let client = Client::new().expect("a client");
    client.call(request, Duration::from_millis(millis)).await
}

fn no_answer(result: Result<HttpAnswer, CallError>, expected: &str) {
    match result {
        Err(CallError::NoAnswer(detail)) => {
            assert!(detail.starts_with(expected), "{detail}");
            assert!(!detail.contains(SECRET) && !detail.contains("127.0.0.1"), "{detail}");
        }
        other => panic!("expected no answer, got {:?}", other.map(|a| a.status)),
    }
}

fn not_sent(result: Result<HttpAnswer, CallError>, expected: &str) {
    match result {
        Err(CallError::NotSent(detail)) => {
            assert!(detail.starts_with(expected), "{detail}");
            assert!(!detail.contains(SECRET) && !detail.contains("127.0.0.1"), "{detail}");
        }
        other => panic!("expected not sent, got {:?}", other.map(|a| a.status)),
    }
}

#[tokio::test]
async fn an_answer_comes_back_whole() {
    let head = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 4\r\n\r\nwait";
    let (port, _) = server(head.as_bytes().to_vec()).await;
    let answer = call(request(port), 5_000).await.expect("an answer");
    assert_eq!((answer.status, answer.retry_after, answer.body.as_str()), (429, Some(7), "wait"));
}

#[tokio::test]
async fn a_refused_port_means_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    not_sent(call(request(port), 5_000).await, "could not connect (connection refused)");
}

#[tokio::test]
async fn a_failed_tls_handshake_means_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let plain = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.write_all(b"this is not TLS").await.expect("written");
        let mut hello = Vec::new();
        let _ = stream.read_to_end(&mut hello).await;
        hello
    });
    let mut request = request(port);
    request.url = request.url.replace("http://", "https://");
    not_sent(call(request, 5_000).await, "could not connect");
    let seen = plain.await.expect("the server's end");
    assert!(!seen.windows(5).any(|w| w == b"hello"), "the body has left");
}

#[tokio::test]
async fn a_request_that_cannot_be_built_means_not_sent() {
    let mut bad_header = request(1);
    bad_header.headers.push(("x-key", "line\nbreak".into()));
    not_sent(call(bad_header, 5_000).await, "the request cannot be built");
    let mut bad_url = request(1);
    bad_url.url = format!("no address {SECRET}");
    not_sent(call(bad_url, 5_000).await, "the request cannot be built");
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_is_no_answer_and_is_not_repeated() {
    let (port, calls) = server(Vec::new()).await;
    no_answer(call(request(port), 5_000).await, "the connection broke");
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn half_an_answer_is_no_answer() {
    let half = "HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{\"sid\":";
    let (port, _) = server(half.as_bytes().to_vec()).await;
    no_answer(call(request(port), 5_000).await, "the answer broke off");
    let (port, _) = server(b"HTTP/1.1 20".to_vec()).await;
    no_answer(call(request(port), 5_000).await, "the connection broke");
}

#[tokio::test]
async fn silence_until_the_timeout_is_no_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let held = tokio::spawn(async move { listener.accept().await });
    no_answer(call(request(port), 200).await, "timed out");
    held.abort();
}

#[tokio::test]
async fn a_body_that_trickles_past_the_timeout_is_no_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let held = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        read_request(&mut stream).await;
        let head = b"HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{";
        stream.write_all(head).await.expect("written");
        std::future::pending::<()>().await;
    });
    no_answer(call(request(port), 300).await, "timed out");
    held.abort();
}

#[tokio::test]
async fn a_redirect_is_answered_as_it_is() {
    let (elsewhere, visits) =
        server(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
    let head = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:{elsewhere}/\r\ncontent-length: 0\r\n\r\n"
    );
    let (port, _) = server(head.into_bytes()).await;
    assert_eq!(call(request(port), 5_000).await.expect("an answer").status, 307);
    assert_eq!(visits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_huge_body_is_cut() {
    let mut answer = b"HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n".to_vec();
    answer.resize(answer.len() + 300_000, b'x');
    let (port, _) = server(answer).await;
    assert_eq!(call(request(port), 5_000).await.expect("an answer").body.len(), POST_LIMIT);
}

#[test]
fn retry_after_is_read_as_seconds_or_as_a_date() {
    let date = Some("Sat, 21 Nov 2026 10:00:00 GMT");
    for (value, date, expected) in [
        ("120", None, Some(120)),
        (" 5 ", None, Some(5)),
        ("Sat, 21 Nov 2026 10:00:30 GMT", date, Some(30)),
        ("Sat, 21 Nov 2026 09:59:00 GMT", date, Some(0)),
        ("Sat, 21 Nov 2026 10:00:30 GMT", None, None),
        ("soon", date, None),
        ("-1", date, None),
    ] {
        assert_eq!(retry_after(value, date), expected, "{value}");
    }
}
