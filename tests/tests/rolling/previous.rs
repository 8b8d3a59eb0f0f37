//! The program of the release before, built from history into `target/previous`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use carillon_runtime::config::variable;
use tokio::process::Command;
use tokio::sync::OnceCell;

const COMMIT: &str = include_str!("previous-release");

/// The stories run side by side: one of them builds it, and all have it.
static PROGRAM: OnceCell<Option<PathBuf>> = OnceCell::const_new();

/// The program, built when it was not yet. `None`: there is no history here,
/// which was said.
pub async fn program() -> Result<Option<PathBuf>> {
    PROGRAM.get_or_try_init(built).await.cloned()
}

async fn built() -> Result<Option<PathBuf>> {
    let commit = COMMIT.trim();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the repository")?;
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().context("the target folder")?;
    let home = target.join("previous");
    let source = home.join(commit);
    if !has_history(root, commit).await {
        ensure!(
            variable("CARILLON_REQUIRE_PREVIOUS").is_none(),
            "commit {commit} is not in this repository's history"
        );
        say(&format!("NOT CHECKED: commit {commit} is not in this repository's history"));
        return Ok(None);
    }
    if !source.join("Cargo.toml").exists() {
        unpack(root, commit, &source).await?;
    }
    let build = home.join("build");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "-p", "carillon-local", "--bin", "carillon"])
        .current_dir(&source)
        .env("CARGO_TARGET_DIR", &build)
        .status()
        .await?;
    ensure!(built.success(), "the release before does not build: {built}");
    Ok(Some(build.join("debug").join("carillon")))
}

async fn has_history(root: &Path, commit: &str) -> bool {
    let found = Command::new("git")
        .args(["cat-file", "-e", &format!("{commit}^{{commit}}")])
        .current_dir(root)
        .stderr(Stdio::null())
        .status()
        .await;
    found.is_ok_and(|status| status.success())
}

async fn unpack(root: &Path, commit: &str, to: &Path) -> Result<()> {
    // Beside it first: what is cut off here is not taken for whole.
    let half = to.with_extension("half");
    if half.exists() {
        std::fs::remove_dir_all(&half)?;
    }
    std::fs::create_dir_all(&half)?;
    let archive = half.join("source.tar");
    let steps: [(&str, Vec<&str>); 2] = [
        ("git", vec!["archive", "--output", text(&archive)?, commit]),
        ("tar", vec!["-x", "-f", text(&archive)?, "-C", text(&half)?]),
    ];
    for (program, arguments) in steps {
        let done = Command::new(program).args(arguments).current_dir(root).status().await?;
        if !done.success() {
            bail!("{program}: {done}");
        }
    }
    std::fs::remove_file(archive)?;
    std::fs::rename(half, to)?;
    Ok(())
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is text")
}

#[expect(clippy::print_stdout, reason = "shown with --nocapture: what was checked")]
pub fn say(text: &str) {
    println!("{text}");
}
