//! Half a million contacts from one file, in flat memory; and a search that is as fast among a million as among a
//! thousand. `CARILLON_FULL_CONTACTS` makes both smaller.

use std::time::Duration;

use carillon_runtime::config::{Tuning, variable};
use carillon_tests::many::{self, name, phone};
use carillon_tests::patience::{Stopwatch, pause};
use carillon_tests::{Answer, Setup, World, fields_form};
use reqwest::Method;
use serde_json::{Value, json};

const ROWS: usize = 500_000;
const FEW: usize = 1_000;
const MANY: usize = 1_000_000;
const ROUNDS: usize = 200;
/// Between two looks at a running import.
const LOOK: Duration = Duration::from_secs(1);
/// What p95 among many may be of that among few.
const SLOWEST: f64 = 1.5;

fn size(usual: usize) -> usize {
    variable("CARILLON_FULL_CONTACTS").and_then(|n| n.parse().ok()).unwrap_or(usual)
}

fn memory_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// What was seen of an import while it ran.
#[derive(Default)]
struct Seen {
    processed: u64,
    looks: usize,
    highest_mb: u64,
}

#[expect(clippy::print_stderr, reason = "it takes a while: how far it is, is said")]
async fn imported(world: &World, upload: &str) -> Value {
    let (kind, form) = fields_form(&[("upload", upload)]);
    let request = world.request(Method::POST, "/v1/contacts/import");
    let taken = Answer::to(request.header("content-type", kind).body(form)).await.ok(202);
    let path = format!("/v1/imports/{}", taken["id"].as_str().expect("an id"));
    let watch = Stopwatch::start();
    let mut seen = Seen::default();
    loop {
        let until = world.now() + jiff::SignedDuration::from_secs(55);
        let run = carillon_queue_processor::run(&world.stack.ctx, until);
        let mut run = std::pin::pin!(run);
        // The clock stands still while it runs, so one run goes on to the end: what it says on
        // its way is seen beside it.
        let report = loop {
            tokio::select! {
                report = &mut run => break report,
                () = pause(LOOK) => look(world, &path, &watch, &mut seen).await,
            }
        };
        assert_eq!(report.errors, 0);
        look(world, &path, &watch, &mut seen).await;
        let import = world.get(&path).await.ok(200);
        if import["status"] != "running" {
            eprintln!(
                "done in {:.0} s, at most {} MB, progress seen moving {} times",
                watch.elapsed().as_secs_f64(),
                seen.highest_mb,
                seen.looks
            );
            assert!(seen.looks > 1, "progress moves");
            return import;
        }
        world.skip(1);
    }
}

#[expect(clippy::print_stderr, reason = "it takes a while: how far it is, is said")]
async fn look(world: &World, path: &str, watch: &Stopwatch, seen: &mut Seen) {
    many::trim(&world.stack).await;
    let import = world.get(path).await.ok(200);
    let processed = import["processed"].as_u64().expect("a number");
    seen.highest_mb = seen.highest_mb.max(memory_mb());
    seen.looks += usize::from(processed > seen.processed);
    if processed / 50_000 > seen.processed / 50_000 {
        eprintln!(
            "{processed} of {} rows, {:.0} s, {} MB",
            import["rows"],
            watch.elapsed().as_secs_f64(),
            memory_mb()
        );
    }
    seen.processed = processed;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "imports half a million contacts"]
async fn full_half_a_million_contacts_from_one_file_and_the_same_again() {
    let rows = size(ROWS);
    let folder = std::env::temp_dir().join(format!("carillon-full-{}", std::process::id()));
    let setup =
        Setup { tuning: Tuning::default(), folder: Some(folder.clone()), ..Setup::default() };
    let world = World::with(setup).await;
    let mut file = String::from("Name,Phone,Email,Customer ID,City,Status\n");
    for n in 0..rows {
        let line = format!("{},{},p{n}@example.com,crm-{n},Sydney,lead\n", name(n), phone(n));
        file.push_str(&line);
    }
    let size = json!({"size": file.len()});
    let place = world.post("/v1/uploads", &size).await.ok(201);
    let url = place["url"].as_str().expect("an address");
    let megabytes = file.len() / (1024 * 1024);
    let put = world.http().put(url).body(file).send().await.expect("an answer");
    assert_eq!(put.status(), 200);
    eprintln!("a file of {rows} rows, {megabytes} MB, {} MB of memory", memory_mb());
    let upload = place["id"].as_str().expect("an id");
    let first = imported(&world, upload).await;
    assert_eq!(
        (first["created"].as_u64(), first["rejected"].as_u64()),
        (Some(rows as u64), Some(0))
    );

    world.stack.engines.meter().reset();
    let again = imported(&world, upload).await;
    assert_eq!(again["unchanged"].as_u64(), Some(rows as u64));
    let spent = world.stack.engines.meter().snapshot();
    let writes: u64 = ["PutItem", "UpdateItem", "TransactWriteItems", "DeleteItem"]
        .iter()
        .map(|name| spent.calls(carillon_local::engines::ServiceName::DynamoDb, name))
        .sum();
    let transactions =
        spent.calls(carillon_local::engines::ServiceName::DynamoDb, "TransactWriteItems");
    eprintln!(
        "the same again: {writes} writes in all (the import's own), {transactions} of contacts"
    );
    assert_eq!(transactions, 0, "no contact is written");
    drop(world);
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

/// Asked in turn, so that whatever else the machine does slows both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "writes a million contacts"]
async fn full_search_and_list_are_as_fast_among_a_million_contacts() {
    let many = size(MANY);
    let (few_world, many_world) = (with_contacts(FEW).await, with_contacts(many).await);
    let mut slow = Vec::new();
    for (what, query) in [
        ("the list", "limit=50".to_owned()),
        ("by a first name", "q=ada&limit=50".to_owned()),
        ("by a last name", "q=lovel&limit=50".to_owned()),
        ("by a number", format!("q={}&limit=50", phone(0).replace('+', "%2B")[..9].to_owned())),
        ("by an address", "q=p1@&limit=50".to_owned()),
        ("by a label", "label=vip&limit=50".to_owned()),
    ] {
        let path = format!("/v1/contacts?{query}");
        let (mut few_times, mut many_times) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            few_times.push(asked(&few_world, &path).await);
            many_times.push(asked(&many_world, &path).await);
        }
        let (few, among_many) = (p95(few_times), p95(many_times));
        let ratio = among_many.as_secs_f64() / few.as_secs_f64();
        eprintln!(
            "{what}: p95 {:.1} ms among {FEW}, {:.1} ms among {many}: ratio {ratio:.2}",
            few.as_secs_f64() * 1_000.0,
            among_many.as_secs_f64() * 1_000.0,
        );
        if ratio > SLOWEST {
            slow.push(what);
        }
    }
    assert!(slow.is_empty(), "{slow:?}");
}

#[expect(clippy::print_stderr, reason = "it takes a while: how far it is, is said")]
async fn with_contacts(count: usize) -> World {
    let world = World::with(Setup { tuning: Tuning::default(), ..Setup::default() }).await;
    let watch = Stopwatch::start();
    many::contacts(&world.stack, 0, count).await;
    eprintln!("{count} contacts written in {:.0} s", watch.elapsed().as_secs_f64());
    world
}

async fn asked(world: &World, path: &str) -> Duration {
    let watch = Stopwatch::start();
    let page = world.get(path).await;
    let took = watch.elapsed();
    assert!(!page.ok(200)["data"].as_array().expect("a list").is_empty(), "{path}");
    took
}

fn p95(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() * 95 / 100]
}
