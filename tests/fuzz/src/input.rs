//! One input that is several: seeds stay files that people can read.

/// Stands on a line of its own between the parts.
const BETWEEN: &[u8] = b"\n---\n";

/// The parts, one more than separators; those that are not there are empty.
pub fn parts<const N: usize>(data: &[u8]) -> [&[u8]; N] {
    let mut rest = data;
    let mut parts = [&data[..0]; N];
    let (last, firsts) = parts.split_last_mut().expect("a target has input");
    for part in firsts {
        let Some(at) = rest.windows(BETWEEN.len()).position(|w| w == BETWEEN) else {
            *part = rest;
            rest = &[];
            continue;
        };
        *part = &rest[..at];
        rest = &rest[at + BETWEEN.len()..];
    }
    *last = rest;
    parts
}

/// As [`parts`], where only text can come in; what is none is no input.
pub fn texts<const N: usize>(data: &[u8]) -> Option<[&str; N]> {
    std::str::from_utf8(data).ok()?;
    Some(parts(data).map(|part: &[u8]| std::str::from_utf8(part).unwrap_or_default()))
}
