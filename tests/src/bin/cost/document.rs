//! The tables' place in the documentation.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

const BEGIN: &str = "<!-- cost:begin -->";
const END: &str = "<!-- cost:end -->";

#[expect(clippy::print_stdout, reason = "this is what the command is for")]
pub fn say(text: &str) {
    println!("{text}");
}

/// Replaces what stands between the markers; adds them at the end where there are none.
pub fn write(report: &str) -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/data-model.md");
    let old = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).context("docs/data-model.md"),
    };
    fs::write(&path, placed(&old, report)).context("docs/data-model.md")
}

fn placed(old: &str, report: &str) -> String {
    let section = format!("{BEGIN}\n{report}\n{END}");
    match (old.find(BEGIN), old.find(END)) {
        (Some(begin), Some(end)) if begin < end => {
            format!("{}{section}{}", &old[..begin], &old[end + END.len()..])
        }
        _ if old.is_empty() => format!("{section}\n"),
        _ => format!("{}\n\n{section}\n", old.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let once = placed("# Data\n", "one");
        assert_eq!(once, format!("# Data\n\n{BEGIN}\none\n{END}\n"));
        let more = format!("{once}more\n");
        assert_eq!(placed(&more, "two"), more.replace("one", "two"));
    }
}
