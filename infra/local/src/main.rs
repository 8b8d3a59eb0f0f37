//! `cargo run`: Carillon on a laptop. With the argument `simulator`, the
//! provider simulator alone (the stack starts it so, as a process of its own).

use carillon_local::{options::Settings, serve, simulator};
use carillon_runtime::telemetry;

fn main() -> anyhow::Result<()> {
    telemetry::start();
    let mut arguments = std::env::args().skip(1);
    serve::runtime()?.block_on(async {
        match arguments.next().as_deref() {
            Some(simulator::COMMAND) => simulator::main(arguments).await,
            Some(other) => anyhow::bail!("there is no command “{other}”; start without one"),
            None => serve::run(Settings::from_env()?).await,
        }
    })
}
