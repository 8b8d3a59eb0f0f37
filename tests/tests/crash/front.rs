//! What stands before the simulated providers: it counts their calls, breaks
//! those that are to break, and lets a story do something while one is made.
//!
//! A loop of its own, because a connection that ends without a byte is one of
//! the things that go wrong.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::body::{Body, Bytes};
use futures::future::BoxFuture;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

use crate::plot::Plot;
use crate::point::Fault;
use crate::stage::Stage;

/// What a story does while a call is made.
pub type Action = Box<dyn FnOnce(Stage) -> BoxFuture<'static, ()> + Send>;

/// During which call, and on which side of the provider.
pub struct Interlude {
    /// From 1, over all sends of the run.
    pub call: u32,
    /// The provider has the message already.
    pub after: bool,
    pub action: Action,
}

/// An interlude that is due: who runs it says so when it is over.
pub type Meeting = (Action, oneshot::Sender<()>);

pub struct Front {
    pub url: String,
    now: RwLock<Option<Scene>>,
}

/// What belongs to one run.
struct Scene {
    plot: Arc<Plot>,
    behind: String,
    http: reqwest::Client,
    calls: Mutex<u32>,
    interludes: Mutex<Vec<Interlude>>,
    meetings: mpsc::UnboundedSender<Meeting>,
}

impl Front {
    pub async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let front = Arc::new(Self { url, now: RwLock::default() });
        let serving = Arc::clone(&front);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&serving)));
            }
        });
        front
    }

    /// A new run; its interludes come out where they can be run.
    pub fn enter(
        &self,
        plot: Arc<Plot>,
        behind: String,
        http: reqwest::Client,
    ) -> mpsc::UnboundedReceiver<Meeting> {
        let (meetings, receiver) = mpsc::unbounded_channel();
        let scene = Scene {
            plot,
            behind,
            http,
            calls: Mutex::default(),
            interludes: Mutex::default(),
            meetings,
        };
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Some(scene);
        receiver
    }

    pub fn plan(&self, interlude: Interlude) {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        let scene = now.as_ref().expect("a run");
        scene.interludes.lock().unwrap_or_else(PoisonError::into_inner).push(interlude);
    }

    /// What becomes of this call, and where it goes.
    fn judge(&self, method: &Method) -> Judged {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        let scene = now.as_ref().expect("a run");
        let fault = scene.plot.judge_call(method.as_str()).map(|point| point.fault);
        let (mut before, mut after) = (None, None);
        if *method == Method::POST {
            let mut calls = scene.calls.lock().unwrap_or_else(PoisonError::into_inner);
            *calls += 1;
            let mut planned = scene.interludes.lock().unwrap_or_else(PoisonError::into_inner);
            for place in (0..planned.len()).rev() {
                if planned[place].call == *calls {
                    let interlude = planned.remove(place);
                    let when = if interlude.after { &mut after } else { &mut before };
                    *when = Some(interlude.action);
                }
            }
        }
        Judged {
            fault,
            before,
            after,
            plot: Arc::clone(&scene.plot),
            behind: scene.behind.clone(),
            http: scene.http.clone(),
            meetings: scene.meetings.clone(),
        }
    }
}

struct Judged {
    fault: Option<Fault>,
    before: Option<Action>,
    after: Option<Action>,
    plot: Arc<Plot>,
    behind: String,
    http: reqwest::Client,
    meetings: mpsc::UnboundedSender<Meeting>,
}

async fn serve(stream: TcpStream, front: Arc<Front>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let front = Arc::clone(&front);
        async move { answer(&front, request).await }
    });
    // A connection that breaks is what this is for.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// An error ends the connection without a byte.
async fn answer(
    front: &Front,
    request: Request<Incoming>,
) -> Result<Response<Body>, std::io::Error> {
    let broken = || std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(Body::new(body), usize::MAX).await.map_err(|_| broken())?;
    let mut judged = front.judge(&parts.method);
    let page = |status: StatusCode| {
        let mut response = Response::new(Body::from("<html>Something went wrong</html>"));
        *response.status_mut() = status;
        response
    };
    if let Some(action) = judged.before.take() {
        meet(&judged.meetings, action).await;
    }
    match judged.fault {
        Some(Fault::FailBefore) => return Err(broken()),
        Some(Fault::ErrorPage) => return Ok(page(StatusCode::INTERNAL_SERVER_ERROR)),
        Some(Fault::TooFast) => {
            let document = r#"{"code":20429,"message":"Too Many Requests","status":429}"#;
            let mut response = Response::new(Body::from(document));
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            let json = header::HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            return Ok(response);
        }
        Some(Fault::DropBefore | Fault::StallBefore) => judged.plot.hang_call().await,
        Some(Fault::LoseAnswer | Fault::DropAfter | Fault::StallAfter | Fault::ErrorPageAfter)
        | None => {}
    }
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let url = format!("{}{path}", judged.behind);
    let answered = pass(&judged.http, parts.method, url, &parts.headers, body).await;
    if let Some(action) = judged.after.take() {
        meet(&judged.meetings, action).await;
    }
    match judged.fault {
        Some(Fault::LoseAnswer) => Err(broken()),
        Some(Fault::ErrorPageAfter) => Ok(page(StatusCode::BAD_GATEWAY)),
        Some(Fault::DropAfter | Fault::StallAfter) => {
            judged.plot.hang_call().await;
            answered.map_err(|_| broken())
        }
        Some(
            Fault::FailBefore
            | Fault::DropBefore
            | Fault::StallBefore
            | Fault::ErrorPage
            | Fault::TooFast,
        )
        | None => answered.map_err(|_| broken()),
    }
}

async fn pass(
    http: &reqwest::Client,
    method: Method,
    url: String,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Response<Body>, reqwest::Error> {
    let mut request = http.request(method, url).body(body);
    for name in [header::AUTHORIZATION, header::CONTENT_TYPE] {
        if let Some(value) = headers.get(&name) {
            request = request.header(name, value);
        }
    }
    let answer = request.send().await?;
    let (status, kind) = (answer.status(), answer.headers().get(header::CONTENT_TYPE).cloned());
    let mut response = Response::new(Body::from(answer.bytes().await?));
    *response.status_mut() = status;
    response.headers_mut().extend(kind.map(|kind| (header::CONTENT_TYPE, kind)));
    Ok(response)
}

/// Until the story has done what it wanted to do in between.
async fn meet(meetings: &mpsc::UnboundedSender<Meeting>, action: Action) {
    let (over, ended) = oneshot::channel();
    if meetings.send((action, over)).is_ok() {
        // A run that ended meanwhile has nothing to say.
        let _ = ended.await;
    }
}
