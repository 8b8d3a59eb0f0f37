//! How many SMS a text takes, for the `num_segments` that providers tell. Kept apart from Carillon's
//! own rules on purpose.
//!
//! Source: 3GPP TS 23.038; 153 septets or 67 UTF-16 units in each part of several.

const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

pub(crate) fn count(text: &str) -> u32 {
    let septets: Option<Vec<u32>> = text
        .chars()
        .map(|character| {
            if BASIC.contains(character) {
                Some(1)
            } else {
                EXTENSION.contains(character).then_some(2)
            }
        })
        .collect();
    match septets {
        Some(widths) => parts(&widths, 160, 153),
        None => {
            let widths: Vec<u32> = text
                .chars()
                .map(|character| if character.len_utf16() == 2 { 2 } else { 1 })
                .collect();
            parts(&widths, 70, 67)
        }
    }
}

/// No character is split over a border, so a part may stay one unit short.
fn parts(widths: &[u32], single: u32, each: u32) -> u32 {
    if widths.iter().sum::<u32>() <= single {
        return 1;
    }
    let mut count = 1;
    let mut used = 0;
    for width in widths {
        if used + width > each {
            count += 1;
            used = 0;
        }
        used += width;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders() {
        for (text, expected) in [
            (String::new(), 1),
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(306), 2),
            ("a".repeat(307), 3),
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            // 76 pairs and an odd septet: no pair is split, so 153 does not hold 77 of them.
            ("€".repeat(153), 3),
            ("न".repeat(70), 1),
            ("न".repeat(71), 2),
            ("👋".repeat(35), 1),
            ("👋".repeat(36), 2),
            ("👋".repeat(67), 3),
            ("ç".repeat(71), 2),
        ] {
            assert_eq!(count(&text), expected, "{} characters", text.chars().count());
        }
    }
}
