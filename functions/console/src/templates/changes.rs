//! What changed from one version of a text to the next, word by word.

use serde::Deserialize;

/// A version as the API lists it.
#[derive(Debug, Clone, Deserialize)]
pub struct Version {
    pub version: u32,
    pub body: String,
}

/// A line of what changed from one version to the next.
pub struct Change {
    pub class: &'static str,
    pub sign: &'static str,
    pub text: String,
}

pub struct VersionShown {
    pub number: u32,
    pub changes: Vec<Change>,
}

/// Each version against the one before it, newest first.
pub(super) fn compared(mut versions: Vec<Version>) -> Vec<VersionShown> {
    versions.sort_by_key(|version| std::cmp::Reverse(version.version));
    let before = versions.iter().skip(1).map(|v| v.body.as_str()).chain([""]);
    let shown = versions.iter().zip(before);
    shown
        .map(|(v, before)| VersionShown { number: v.version, changes: changes(before, &v.body) })
        .collect()
}

/// Word by word: what both have, what went, what came. Texts are short.
fn changes(before: &str, after: &str) -> Vec<Change> {
    let (a, b): (Vec<&str>, Vec<&str>) =
        (before.split_inclusive(' ').collect(), after.split_inclusive(' ').collect());
    let mut common = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i][j] = if a[i].trim_end() == b[j].trim_end() {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::<Change>::new());
    let mut push = |class: &'static str, sign: &'static str, text: &str| match out.last_mut() {
        Some(last) if last.class == class => last.text.push_str(text),
        _ => out.push(Change { class, sign, text: text.to_owned() }),
    };
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i].trim_end() == b[j].trim_end() {
            push("same", "", b[j]);
            (i, j) = (i + 1, j + 1);
        } else if j < b.len() && (i == a.len() || common[i][j + 1] >= common[i + 1][j]) {
            push("came", "Added: ", b[j]);
            j += 1;
        } else {
            push("went", "Removed: ", a[i]);
            i += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::changes;

    #[test]
    fn what_changed_is_said_word_by_word() {
        let said = changes("Hi Ada, see you at seven", "Hi Ada, see you tomorrow at eight");
        let said: Vec<_> = said.iter().map(|c| (c.class, c.text.trim())).collect();
        assert_eq!(
            said,
            [
                ("same", "Hi Ada, see you"),
                ("came", "tomorrow"),
                ("same", "at"),
                ("came", "eight"),
                ("went", "seven")
            ]
        );
    }
}
