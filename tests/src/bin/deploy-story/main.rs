//! The whole deployment, told once: the template goes into an empty account, a message goes out and is
//! delivered, the stack is removed. Started by `tests/deploy/run`, which brings the account (MiniStack, with
//! each function's role enforced); the providers are the simulator, in this process.
//!
//! A chapter is one promise; the first that is broken ends the story with exit status 1. Nothing is retried:
//! what takes time is waited for, at most as long as `carillon_tests::patience` says.

#![expect(clippy::print_stdout, reason = "a report for people")]

mod aws;
mod client;
mod console;
mod operations;
mod rights;
mod roles;
mod sending;
mod world;

use anyhow::Result;

use carillon_tests::patience::Stopwatch;
use world::World;

#[tokio::main]
async fn main() -> Result<()> {
    install_tls();
    let whole = Stopwatch::start();
    let mut world = World::begin(std::env::args().skip(1)).await?;

    macro_rules! chapters {
        ($($told:literal => $chapter:path),+ $(,)?) => {
            $(
                let watch = Stopwatch::start();
                if let Err(error) = $chapter(&mut world).await {
                    println!("FAILED {:6.1} s  {}\n{error:?}", watch.elapsed().as_secs_f64(), $told);
                    anyhow::bail!("the deploy story ended early");
                }
                println!("ok     {:6.1} s  {}", watch.elapsed().as_secs_f64(), $told);
            )+
        };
    }
    chapters! {
        "an empty account takes the template" => operations::the_template_goes_in,
        "an update changes the callback address" => operations::an_update_changes_the_callback_address,
        "only the first admin key opens the API" => sending::only_the_key_opens_the_api,
        "the first admin key opens the console" => console::the_key_opens_the_console,
        "credentials are stored encrypted and shown masked" => sending::credentials_are_encrypted,
        "a message is delivered, by a signed callback" => sending::a_message_is_delivered,
        "a callback without a signature changes nothing" => sending::an_unsigned_callback_is_refused,
        "a CSV file is planned, queued, sent and delivered" => sending::a_file_is_delivered,
        "the schedule sends what waits for its time" => sending::the_schedule_sends,
        "statistics follow through the stream" => sending::statistics_follow,
        "a body that nobody understands ends among the dead letters" => operations::poison_is_put_aside,
        "each role can do its work and no more" => roles::each_role_does_its_work_and_no_more,
        "logs hold no numbers and no secrets" => operations::logs_hold_nothing_personal,
        "removal leaves the data" => operations::removal_leaves_the_data,
    }
    println!("the deploy story took {:.0} s", whole.elapsed().as_secs_f64());
    Ok(())
}

/// The client asks for a TLS provider even where it never speaks TLS.
fn install_tls() {
    // An error means that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
