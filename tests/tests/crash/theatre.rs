//! What costs time to set up and is the same for all runs of one thread: the
//! providers' simulator with its front, and the address that it calls back.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use carillon_runtime::Clock;
use carillon_simulator::{Running, Simulator};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tower::ServiceExt;

use crate::front::Front;
use crate::plot::Plot;
use crate::point::Step;
use crate::stage::within;

const START: &str = "2026-11-21T09:00:00Z";

pub struct Theatre {
    pub simulator: Running,
    pub front: Arc<Front>,
    /// Where providers call back.
    pub url: String,
    pub http: reqwest::Client,
    pub clock: Clock,
    door: Arc<Door>,
    /// The simulator's settings before any story.
    settings: Value,
}

/// The way in for callbacks; one at a time, so that a run can be repeated.
#[derive(Default)]
struct Door {
    behind: RwLock<Option<(Router, Arc<Plot>)>>,
    busy: Mutex<()>,
}

impl Theatre {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let door = Arc::new(Door::default());
        let router = Router::new().fallback(callback).with_state(Arc::clone(&door));
        tokio::spawn(axum::serve(listener, router).into_future());
        let clock = Clock::manual(START.parse().expect("a time"));
        let providers_clock = clock.clone();
        let simulator = Simulator::start(carillon_simulator::Options {
            clock: Arc::new(move || providers_clock.now()),
            settings: json!({
                "callbacks": {"hold": true, "delay_ms": 0},
                "twilio_inbound_url": format!("{url}/webhooks/twilio/inbound"),
            }),
            ..carillon_simulator::Options::default()
        })
        .await
        .expect("the simulator starts");
        let settings = simulator.settings().await.expect("its settings");
        let settings = serde_json::to_value(settings).expect("JSON");
        Self { simulator, front: Front::start().await, url, http: client(), clock, door, settings }
    }

    /// Everything as before the first run.
    pub async fn clear(&self) {
        if let Clock::Manual(millis) = &self.clock {
            let start: Timestamp = START.parse().expect("a time");
            millis.store(start.as_millisecond(), Ordering::SeqCst);
        }
        for path in ["/sim/messages", "/sim/blocks"] {
            let request = self.http.delete(format!("{}{path}", self.simulator.url()));
            let answer = request.send().await.expect("the simulator runs");
            assert!(answer.status().is_success(), "{path}");
        }
        let now = self.simulator.settings().await.expect("its settings");
        let now = serde_json::to_value(now).expect("JSON");
        if now != self.settings {
            let mut patch = self.settings.clone();
            // A merge patch adds to a map; what was added must go.
            for number in now["numbers"].as_object().into_iter().flatten() {
                patch["numbers"][number.0] = Value::Null;
            }
            self.simulator.configure(patch).await.expect("known settings");
        }
    }

    /// From now on callbacks reach this stack.
    pub fn enter(&self, router: Router, plot: Arc<Plot>) {
        let mut behind = self.door.behind.write().unwrap_or_else(PoisonError::into_inner);
        *behind = Some((router, plot));
    }
}

async fn callback(State(door): State<Arc<Door>>, request: Request<Body>) -> Response {
    let _one = door.busy.lock().await;
    let behind = door.behind.read().unwrap_or_else(PoisonError::into_inner).clone();
    let Some((router, plot)) = behind else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    match within(&plot, Step::Webhook, router.oneshot(request)).await {
        Some(Ok(response)) => response,
        Some(Err(never)) => match never {},
        // What a gateway answers for a function that was cut off.
        None => StatusCode::BAD_GATEWAY.into_response(),
    }
}

#[expect(clippy::disallowed_methods, reason = "the providers' side of the wire")]
fn client() -> reqwest::Client {
    // An error means that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("a client")
}
