//! Pictures that the server draws: each has a name for who does not see it, and its table beside it. Colours and
//! sizes are the style sheet's.

use std::fmt::Write as _;

use askama::filters::HtmlSafe;
use carillon_domain::quiet::QuietHours;

/// Markup that is made here, of numbers and of words of ours.
pub struct Svg(String);

impl std::fmt::Display for Svg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Nothing of anybody else's gets in.
impl HtmlSafe for Svg {}

/// Parts of a whole side by side: class of each, its word, and how many.
pub fn bar(parts: &[(&'static str, &'static str, i64)]) -> Svg {
    let total: i64 = parts.iter().map(|(_, _, n)| n).sum();
    if total <= 0 {
        return Svg("<svg class=\"bar-chart\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Nothing yet\"><rect class=\"empty-bar\" width=\"1000\" height=\"10\"/></svg>".to_owned());
    }
    let said = parts
        .iter()
        .filter(|(_, _, n)| *n > 0)
        .map(|(_, word, n)| format!("{} {}", crate::figures::count(*n), word.to_lowercase()));
    let said = said.collect::<Vec<_>>().join(", ");
    let mut text = format!(
        "<svg class=\"bar-chart\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{said}\">"
    );
    let mut before = 0;
    for (class, _, n) in parts.iter().filter(|(_, _, n)| *n > 0) {
        let (from, to) = (before * 1000 / total, (before + n) * 1000 / total);
        let width = (to - from).max(1);
        let _ =
            write!(text, "<rect class=\"{class}\" x=\"{from}\" width=\"{width}\" height=\"10\"/>");
        before += n;
    }
    text.push_str("</svg>");
    Svg(text)
}

const WIDTH: usize = 720;
const HEIGHT: usize = 210;
const FOOT: usize = 32;
/// Left of the columns, for the scale.
const LEFT: usize = 52;

/// Columns over time, of two stacked values each: label, lower, upper. `what` is our own word.
pub fn columns(what: &str, columns: &[(String, f64, f64)], classes: [&str; 2]) -> Svg {
    let top = columns.iter().map(|(_, a, b)| a + b).fold(0.0, f64::max);
    let top = round_up(top);
    let count = columns.len().max(1);
    let step = (WIDTH - LEFT) as f64 / count as f64;
    let tall = (HEIGHT - FOOT - 8) as f64;
    let mut text = format!(
        "<svg class=\"columns-chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{what}; the table has the numbers\">"
    );
    for share in [0.0, 0.5, 1.0] {
        let y = 8.0 + tall * (1.0 - share);
        let value = scale(top * share);
        let _ = write!(
            text,
            "<line class=\"grid-line\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
            LEFT - 8,
            y + 4.0
        );
    }
    let every = count.div_ceil(8);
    for (n, (label, lower, upper)) in columns.iter().enumerate() {
        let x = LEFT as f64 + step * n as f64;
        let width = (step * 0.7).clamp(1.0, 40.0);
        let left = x + (step - width) / 2.0;
        let mut base = 8.0 + tall;
        for (value, class) in [(lower, classes[0]), (upper, classes[1])] {
            let height = if top > 0.0 { tall * value / top } else { 0.0 };
            base -= height;
            if height > 0.0 {
                let _ = write!(
                    text,
                    "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{base:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
                );
            }
        }
        if n % every == 0 {
            let label: String =
                label.chars().filter(|c| c.is_ascii_alphanumeric() || " -".contains(*c)).collect();
            let _ = write!(
                text,
                "<text{} x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
                // On a phone there is room for every second one.
                if n / every % 2 == 1 { " class=\"between\"" } else { "" },
                x + step / 2.0,
                HEIGHT - 6
            );
        }
    }
    text.push_str("</svg>");
    Svg(text)
}

/// The next of 1, 2, 5, 10, 20, 50 …
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|top| *top >= value).unwrap_or(value)
}

fn scale(value: f64) -> String {
    if value >= 10.0 || value.fract() == 0.0 {
        return crate::figures::count(value as i64);
    }
    format!("{value:.2}")
}

/// A day as a clock of 24 hours, with the quiet part of it.
pub fn clock(quiet: Option<&QuietHours>) -> Svg {
    let said = quiet.map_or("No quiet hours".to_owned(), |q| {
        format!("Quiet from {} to {}", q.start.strftime("%H:%M"), q.end.strftime("%H:%M"))
    });
    let mut text = format!(
        "<svg class=\"clock\" viewBox=\"0 0 200 200\" role=\"img\" aria-label=\"{said}\"><circle class=\"face\" cx=\"100\" cy=\"100\" r=\"74\"/>"
    );
    if let Some(quiet) = quiet {
        let minutes =
            |time: jiff::civil::Time| f64::from(time.hour()) * 60.0 + f64::from(time.minute());
        let (start, end) = (minutes(quiet.start), minutes(quiet.end));
        let long = (end - start).rem_euclid(1440.0);
        let point = |minute: f64| {
            let angle = minute / 1440.0 * std::f64::consts::TAU;
            (100.0 + 74.0 * angle.sin(), 100.0 - 74.0 * angle.cos())
        };
        let ((x1, y1), (x2, y2)) = (point(start), point(end));
        let large = i32::from(long > 720.0);
        let _ = write!(
            text,
            "<path class=\"quiet-part\" d=\"M100 100 L{x1:.1} {y1:.1} A74 74 0 {large} 1 {x2:.1} {y2:.1} Z\"/>"
        );
    }
    text.push_str("<circle class=\"hub\" cx=\"100\" cy=\"100\" r=\"46\"/>");
    for hour in [0, 3, 6, 9, 12, 15, 18, 21] {
        let angle = f64::from(hour) / 24.0 * std::f64::consts::TAU;
        let (x, y) = (100.0 + 88.0 * angle.sin(), 100.0 - 88.0 * angle.cos() + 4.0);
        let _ =
            write!(text, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{hour}</text>");
    }
    text.push_str("</svg>");
    Svg(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_wide_as_its_parts_and_says_them() {
        let bar = bar(&[("good", "Delivered", 3), ("bad", "Failed", 1), ("off", "Sent", 0)]);
        assert!(bar.0.contains("aria-label=\"3 delivered, 1 failed\""), "{bar}");
        assert!(
            bar.0.contains("x=\"0\" width=\"750\"") && bar.0.contains("x=\"750\" width=\"250\"")
        );
    }

    #[test]
    fn a_label_is_never_markup() {
        let chart = columns("Cost", &[("<b>1</b>".to_owned(), 1.0, 2.0)], ["a", "b"]);
        assert!(!chart.0.contains("<b>"), "{chart}");
    }

    #[test]
    fn a_scale_ends_on_a_round_number() {
        for (value, top) in [(0.0, 1.0), (3.0, 5.0), (11.0, 20.0), (50.0, 50.0), (0.03, 0.05)] {
            assert!((round_up(value) - top).abs() < 1e-9, "{value}");
        }
    }
}
