//! A shell that goes on from block to block, as a reader's does.

use std::path::Path;
use std::process::Stdio;

use carillon_tests::{ADMIN_KEY, World};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Printed behind each block.
const BORDER: &str = "== the next block ==";

pub struct Shell {
    _bash: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Shell {
    /// In this folder, with what the README sets: `$api`, `$sim`, `$auth`, `$json`.
    pub async fn start(world: &World, folder: &Path) -> Self {
        let mut bash = Command::new("bash")
            .current_dir(folder)
            .env("api", &world.url)
            .env("sim", world.simulator.url())
            .env("auth", format!("Authorization: Bearer {ADMIN_KEY}"))
            .env("json", "Content-Type: application/json")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("bash");
        let input = bash.stdin.take().expect("its input");
        let output = BufReader::new(bash.stdout.take().expect("its output")).lines();
        Self { _bash: bash, input, output }
    }

    /// What the commands print.
    pub async fn run(&mut self, commands: &str) -> String {
        let script = format!("{commands}\necho '{BORDER}'\n");
        self.input.write_all(script.as_bytes()).await.expect("it reads");
        let mut printed = String::new();
        loop {
            let line = self.output.next_line().await.expect("it prints").expect("it goes on");
            if line == BORDER {
                return printed;
            }
            printed.push_str(&line);
            printed.push('\n');
        }
    }
}
