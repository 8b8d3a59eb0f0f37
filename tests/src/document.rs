//! Measured figures in the documentation, between markers.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Prints what a command has measured.
#[expect(clippy::print_stdout, reason = "this is what the commands are for")]
pub fn say(text: &str) {
    println!("{text}");
}

/// Replaces what stands between the markers of `name` in a file of `docs`; adds them at its end where there are
/// none.
///
/// # Errors
/// When the file cannot be written.
pub fn write(file: &str, name: &str, report: &str) -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(file);
    let old = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| file.to_owned()),
    };
    fs::write(&path, placed(&old, name, report)).with_context(|| file.to_owned())
}

fn placed(old: &str, name: &str, report: &str) -> String {
    let (first, last) = (format!("<!-- {name}:begin -->"), format!("<!-- {name}:end -->"));
    let section = format!("{first}\n{report}\n{last}");
    match (old.find(&first), old.find(&last)) {
        (Some(begin), Some(end)) if begin < end => {
            format!("{}{section}{}", &old[..begin], &old[end + last.len()..])
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
        let once = placed("# Data\n", "cost", "one");
        assert_eq!(once, "# Data\n\n<!-- cost:begin -->\none\n<!-- cost:end -->\n");
        let more = placed(&format!("{once}more\n"), "load:core", "ns");
        assert_eq!(placed(&more, "cost", "two"), more.replace("one", "two"));
    }
}
