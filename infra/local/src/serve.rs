//! `cargo run`: the stack in real time.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use carillon_domain::ProviderName;
use carillon_domain::integration::IntegrationSettings;
use carillon_providers::{Credentials, provider};
use carillon_runtime::Clock;
use carillon_runtime::config::{Tuning, cors_origins, installation_account};
use carillon_runtime::secrets::Owner;
use carillon_simulator as simulator;
use carillon_store::{Integration, IntegrationStatus};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::options::{Options, Settings};
use crate::poller::Mapping;
use crate::simulator::Process;
use crate::{Stack, demo, rollup_feed};

/// Pollers of each queue: what Lambda would run side by side.
const POLLERS: usize = 2;
const LONG_POLL_SECONDS: i32 = 5;
/// Pause when there was nothing in the stream, or an engine failed.
const PAUSE: Duration = Duration::from_millis(300);

/// Threads that wait for the embedded table, which works one call at a time. Each more would only be one more
/// place where memory stays behind: with many, a large file takes twice as much.
const TABLE_THREADS: usize = 2;

/// What the local stack runs on.
///
/// # Errors
/// When the system has no threads left.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().max_blocking_threads(TABLE_THREADS).build()
}

/// Runs until Ctrl-C.
///
/// # Errors
/// When the port or the folder cannot be had.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", settings.port))
        .await
        .with_context(|| format!("port {} is taken; set CARILLON_PORT", settings.port))?;
    private_folder(&settings.folder)?;
    let (process, provider_urls) = providers(&settings).await?;
    let admin_key = settings.admin_key()?;
    let mail_url = process.as_ref().map(|process| process.url.clone());
    let stack = Stack::open(Options {
        folder: Some(settings.folder.clone()),
        clock: Clock::System,
        admin_key: admin_key.clone(),
        public_url: settings.public_url.clone(),
        provider_urls,
        mail_url,
        console_url: settings.console_url.clone(),
        people: settings.people.clone(),
        cors_origins: cors_origins(),
        installation_account: installation_account()?,
        tuning: Tuning::default(),
    })
    .await?;
    if process.is_some() && !settings.provider_urls.contains_key(&ProviderName::Twilio) {
        connect_to_simulator(&stack).await?;
    }
    let key_hash = carillon_store::secret_hash(&admin_key);
    let visit = stack.first_visit.link(&stack.ctx, &key_hash);
    if settings.has_demo {
        demo::seed(stack.router(), admin_key.clone(), stack.ctx.clock.now()).await?;
    }
    banner(&settings, &admin_key, process.as_ref(), &visit);

    let (stop, stopped) = watch::channel(false);
    let mut tasks = start(&stack, settings.tick_seconds, &stopped);
    let mut ended = stopped.clone();
    let server =
        axum::serve(listener, stack.router().into_make_service_with_connect_info::<SocketAddr>())
            .with_graceful_shutdown(async move { wait_for_end(&mut ended).await });
    let server = tokio::spawn(server.into_future());
    tokio::signal::ctrl_c().await?;
    say("\nStopping: calls in flight are finished first.");
    stop.send_replace(true);
    // Whoever keeps a connection open does not keep us.
    let _ = tokio::time::timeout(Duration::from_secs(5), server).await;
    let patience = tokio::time::timeout(Duration::from_secs(30), async {
        while tasks.join_next().await.is_some() {}
    });
    let _ = patience.await;
    if let Some(process) = process {
        process.stop().await;
    }
    Ok(())
}

/// It holds numbers and texts: only the owner looks into it.
fn private_folder(folder: &std::path::Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Providers without an address of their own are simulated.
async fn providers(
    settings: &Settings,
) -> anyhow::Result<(Option<Process>, std::collections::BTreeMap<ProviderName, String>)> {
    let mut urls = settings.provider_urls.clone();
    if urls.len() == ProviderName::ALL.len() {
        return Ok((None, urls));
    }
    let file = settings.folder.join("simulator.db");
    let port = settings.port.checked_add(1).unwrap_or(0);
    let process = Process::start(&file, port, &settings.public_url).await?;
    for name in ProviderName::ALL {
        urls.entry(name).or_insert_with(|| process.url.clone());
    }
    Ok((Some(process), urls))
}

/// The first start needs no account anywhere: the organization has one with the
/// simulated Twilio, unless it has set up its own.
async fn connect_to_simulator(stack: &Stack) -> anyhow::Result<()> {
    let name = ProviderName::Twilio;
    let ctx = &stack.ctx;
    if ctx.store.integration(stack.org, name).await?.is_some() {
        return Ok(());
    }
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let credentials = Credentials::from_iter([
        pair("account_sid", simulator::DEFAULT_ACCOUNT_SID),
        pair("auth_token", simulator::DEFAULT_AUTH_TOKEN),
    ]);
    // Nobody's carrier is in the way here: a tour need not wait for a slow number.
    let mut settings = IntegrationSettings { rate_per_second: 100, ..Default::default() };
    settings.provider.extend([pair("from", simulator::DEFAULT_FROM)]);
    let sealed = credentials.to_plaintext();
    let now = ctx.clock.now();
    let integration = Integration {
        org: stack.org,
        provider: name,
        enabled: true,
        settings,
        credentials: ctx.secrets.encrypt(Owner::Integration(stack.org, name), &sealed).await?,
        masked: [pair("account_sid", "(simulator)"), pair("auth_token", "(simulator)")].into(),
        account: provider(name).account_name(&credentials),
        account_since: now,
        callback_token_hash: None,
        status: IntegrationStatus::default(),
        created_at: now,
        updated_at: now,
    };
    ctx.store.put_integration(&integration).await?;
    Ok(())
}

/// What triggers functions on AWS.
fn start(stack: &Stack, tick_seconds: u64, stopped: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for mapping in Mapping::ALL {
        for _ in 0..POLLERS {
            let stack = stack.clone();
            tasks.spawn(until(stopped.clone(), move || {
                let stack = stack.clone();
                async move { mapping.poll(&stack.ctx, &stack.sqs, LONG_POLL_SECONDS).await }
            }));
        }
    }
    let feed = stack.clone();
    tasks.spawn(until(stopped.clone(), move || {
        let stack = feed.clone();
        async move {
            let fed = rollup_feed::feed(&stack.ctx, &stack.engines).await?;
            if fed == 0 {
                pause(PAUSE).await;
            }
            Ok(fed)
        }
    }));
    let stack = stack.clone();
    let mut stopped = stopped.clone();
    tasks.spawn(async move {
        let mut schedule = tokio::time::interval(Duration::from_secs(tick_seconds));
        schedule.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = schedule.tick() => {}
                () = wait_for_end(&mut stopped) => return,
            }
            let report = stack.tick().await;
            tracing::debug!(?report, "minute");
        }
    });
    tasks
}

async fn wait_for_end(stopped: &mut watch::Receiver<bool>) {
    drop(stopped.wait_for(|s| *s).await);
}

/// Again and again until the stack stops; a step that began is finished.
async fn until<F, T>(mut stopped: watch::Receiver<bool>, step: impl Fn() -> F)
where
    F: Future<Output = anyhow::Result<T>>,
{
    while !*stopped.borrow_and_update() {
        if let Err(error) = step().await {
            tracing::warn!(error = &*error as &dyn std::error::Error, "tried again");
            pause(PAUSE).await;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the loops of the local stack run in real time")]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

#[expect(clippy::print_stdout, reason = "this is what the person who started it reads")]
fn say(text: &str) {
    println!("{text}");
}

fn banner(settings: &Settings, admin_key: &str, process: Option<&Process>, visit: &str) {
    let url = format!("http://127.0.0.1:{}", settings.port);
    let simulator = process.map_or_else(
        || "Providers: the addresses in CARILLON_PROVIDER_URL_*".to_owned(),
        |p| format!("Simulated providers (what they received): {}", p.url),
    );
    let console = &settings.console_url;
    say(&format!(
        "Carillon is up at {url}\n\
         {simulator}\n\
         Console: {console}{visit}\n\
         (signs you in once, within ten minutes; after that {console}/console, with the admin key)\n\
         Admin key: {admin_key}\n\n\
         Send a first message:\n\n  \
         curl -s {url}/v1/messages -H 'Authorization: Bearer {admin_key}' \\\n    \
         -H 'Content-Type: application/json' \\\n    \
         -d '{{\"channel\":\"sms\",\"to\":\"+61491570006\",\"body\":\"Hi {{{{ name }}}}\",\"variables\":{{\"name\":\"Ada\"}},\"override_quiet_hours\":true}}'\n\n\
         Data is in {}; Ctrl-C ends.",
        settings.folder.display()
    ));
}
