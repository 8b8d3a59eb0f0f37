//! Writes the doc comments of the crate's public async functions into a table,
//! by path: what is said over a handler is what the OpenAPI document says of
//! its operation, and stands nowhere twice.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=src");
    let mut files = Vec::new();
    collect(Path::new("src"), &mut files)?;
    files.sort();
    let mut table = String::from("&[\n");
    for file in files {
        let module = module(&file);
        for (name, doc) in documented(&fs::read_to_string(&file)?) {
            let _ = writeln!(table, "    ({:?}, {doc:?}),", format!("{module}{name}"));
        }
    }
    table.push_str("]\n");
    #[expect(clippy::disallowed_methods, reason = "Cargo says by it where to write")]
    let out = std::env::var_os("OUT_DIR").unwrap_or_default();
    fs::write(PathBuf::from(out).join("handler_docs.rs"), table)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// `src/messages/actions.rs` → `messages::actions::`.
fn module(file: &Path) -> String {
    let inner = file.strip_prefix("src").unwrap_or(file).with_extension("");
    let parts = inner.iter().map(|part| part.to_string_lossy());
    parts.filter(|p| p != "mod" && p != "lib").map(|p| format!("{p}::")).collect()
}

/// Names of public async functions with the comment above them.
fn documented(source: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut doc: Vec<&str> = Vec::new();
    for line in source.lines() {
        if let Some(text) = line.strip_prefix("///") {
            doc.push(text.strip_prefix(' ').unwrap_or(text));
        } else if let Some(rest) = line.strip_prefix("pub async fn ") {
            let name: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.push((name, std::mem::take(&mut doc).join("\n")));
        } else if !line.starts_with("#[") {
            doc.clear();
        }
    }
    found
}
