//! The bytes of a side row: which version of each message was counted last, and
//! as what. Rollup writes this row at every batch, in a transaction, so its size
//! is a price: messages that count the same name one fact, and names in order
//! share what they begin with. Two hundred messages stay under 1 KB.

use std::collections::BTreeMap;

use carillon_domain::statistics::{Bucket, Fact};

/// By a message's name in its group: version and fact.
pub type Messages = BTreeMap<Vec<u8>, (u32, Fact)>;

/// Of this encoding; the first byte.
const FORMAT: u8 = 1;
const HAS_PRICE: u8 = 0x80;
const HAS_ERROR: u8 = 0x40;

/// Format; count of facts and the facts; then per message a byte that says how
/// much of its name is as in the last one (high half) and how much its own (low
/// half), its own bytes, version, number of its fact. Numbers have seven bits a
/// byte, lowest first. Names have at most fifteen bytes.
pub fn encode(messages: &Messages) -> Vec<u8> {
    let mut facts: Vec<&Fact> = Vec::new();
    let mut list = Vec::new();
    let mut last: &[u8] = &[];
    for (name, (version, fact)) in messages {
        let number = facts.iter().position(|known| *known == fact).unwrap_or_else(|| {
            facts.push(fact);
            facts.len() - 1
        });
        let same = name.iter().zip(last).take_while(|(a, b)| a == b).count();
        debug_assert!(name.len() <= 15, "a name is a line or a hash");
        list.push((same << 4 | (name.len() - same)) as u8);
        list.extend(&name[same..]);
        put_number(&mut list, usize::try_from(*version).unwrap_or(usize::MAX));
        put_number(&mut list, number);
        last = name;
    }
    let mut out = vec![FORMAT];
    put_number(&mut out, facts.len());
    facts.into_iter().for_each(|fact| put_fact(&mut out, fact));
    out.extend(list);
    out
}

/// Bucket and flags (1), day (2), price and currency (7, if any), length and
/// text of the error (if any).
fn put_fact(out: &mut Vec<u8>, fact: &Fact) {
    let price = if fact.price.is_some() { HAS_PRICE } else { 0 };
    let error = if fact.error.is_some() { HAS_ERROR } else { 0 };
    out.push(fact.bucket.number() | price | error);
    out.extend(fact.day.to_be_bytes());
    if let Some((micros, currency)) = fact.price {
        out.extend(micros.to_be_bytes());
        out.extend(currency);
    }
    if let Some(error) = &fact.error {
        put_number(out, error.len());
        out.extend(error.as_bytes());
    }
}

fn put_number(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// `None` when these are not bytes that [`encode`] made. No bytes: no messages.
pub fn decode(bytes: &[u8]) -> Option<Messages> {
    let mut messages = Messages::new();
    if bytes.is_empty() {
        return Some(messages);
    }
    let mut rest = Rest(bytes);
    if rest.byte()? != FORMAT {
        return None;
    }
    let facts = (0..rest.number()?).map(|_| rest.fact()).collect::<Option<Vec<_>>>()?;
    let mut last: Vec<u8> = Vec::new();
    while !rest.0.is_empty() {
        let lengths = usize::from(rest.byte()?);
        let mut name = last.get(..lengths >> 4)?.to_vec();
        name.extend(rest.take(lengths & 0xf)?);
        let version = u32::try_from(rest.number()?).ok()?;
        let fact = facts.get(rest.number()?)?.clone();
        last.clone_from(&name);
        messages.insert(name, (version, fact));
    }
    Some(messages)
}

struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    fn number(&mut self) -> Option<usize> {
        let mut number = 0_usize;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn fact(&mut self) -> Option<Fact> {
        let flags = self.byte()?;
        let bucket = Bucket::from_number(flags & !(HAS_PRICE | HAS_ERROR))?;
        let day = u16::from_be_bytes(self.take(2)?.try_into().ok()?);
        let price = match flags & HAS_PRICE {
            0 => None,
            _ => {
                let micros = u32::from_be_bytes(self.take(4)?.try_into().ok()?);
                Some((micros, self.take(3)?.try_into().ok()?))
            }
        };
        let error = match flags & HAS_ERROR {
            0 => None,
            _ => {
                let length = self.number()?;
                Some(String::from_utf8(self.take(length)?.to_vec()).ok()?)
            }
        };
        Some(Fact { bucket, day, price, error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(bucket: Bucket, price: Option<(u32, [u8; 3])>, error: Option<&str>) -> Fact {
        Fact { bucket, day: 20_778, price, error: error.map(str::to_owned) }
    }

    #[test]
    fn a_side_row_is_read_back_and_two_pages_of_a_hundred_fit_a_unit() {
        let mut messages = Messages::new();
        for line in 60_000..60_200_u32 {
            let price = Some((7_900, *b"USD"));
            let counted = match line % 4 {
                0 => fact(Bucket::Delivered, price, None),
                1 => fact(Bucket::Sent, price, None),
                2 => fact(Bucket::Undelivered, price, Some("30005|unreachable")),
                _ => fact(Bucket::Failed, None, Some("21211|invalid_address")),
            };
            messages.insert(line.to_be_bytes().to_vec(), (4, counted));
        }
        let bytes = encode(&messages).len();
        // Keys and names of the row need about eighty.
        assert!(bytes < 1_024 - 80, "{bytes}");
        messages
            .insert(vec![1, 2, 3, 4], (70_000, fact(Bucket::Read, None, Some(&"x".repeat(300)))));
        messages.insert(vec![9; 10], (u32::MAX, fact(Bucket::Pending, None, None)));
        assert_eq!(decode(&encode(&messages)), Some(messages));
        assert_eq!(decode(&encode(&Messages::new())), Some(Messages::new()));
    }

    #[test]
    fn bytes_that_are_not_ours_are_refused() {
        let whole = encode(&Messages::from([(vec![1, 2], (1, fact(Bucket::Sent, None, None)))]));
        assert!(decode(&whole).is_some());
        let facts_only = 5;
        for cut in (1..whole.len()).filter(|cut| *cut != facts_only) {
            assert_eq!(decode(&whole[..cut]), None, "{cut} bytes of {}", whole.len());
        }
        assert_eq!(decode(&[4, 0, 0, 0, 7]), None);
    }
}
