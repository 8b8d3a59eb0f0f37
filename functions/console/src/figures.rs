//! Numbers as people read them.

use std::borrow::Borrow;

use carillon_domain::integration::Money;

/// `1,234,567`. Templates hand over references.
pub fn count(n: impl Borrow<i64>) -> String {
    let n = *n.borrow();
    let digits = n.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if n < 0 { format!("−{text}") } else { text }
}

/// A share from 0 to 1: `97.3 %`
pub fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// `USD 1,250.00`
pub fn money(money: &Money) -> String {
    let (whole, part) = money.amount.split_once('.').unwrap_or((&money.amount, "00"));
    match whole.parse::<i64>() {
        Ok(whole) => format!("{} {}.{part:0<2}", money.currency, count(whole)),
        Err(_) => format!("{} {}", money.currency, money.amount),
    }
}

/// `1 message`, `2 messages`
pub fn of(n: impl Borrow<i64>, one: &str) -> String {
    let n = *n.borrow();
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {one}{plural}", count(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        for (n, text) in [(0_i64, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "−1,234,567")]
        {
            assert_eq!(count(n), text);
        }
        assert_eq!(percent(0.9731), "97.3 %");
        for (amount, text) in
            [("0.0079", "USD 0.0079"), ("1250", "USD 1,250.00"), ("3.5", "USD 3.50")]
        {
            let amount = Money { amount: amount.to_owned(), currency: "USD".to_owned() };
            assert_eq!(money(&amount), text);
        }
        assert_eq!((of(1_i64, "row"), of(1200_i64, "row")), ("1 row".into(), "1,200 rows".into()));
    }
}
