//! Which number belongs where: the longest prefix in `places.txt` counts.
//!
//! Does not ask libphonenumber: it knows no states and no zones, and reading a
//! number with it costs more than all else that is decided here.

use std::sync::{LazyLock, OnceLock};

use jiff::tz::TimeZone;

use super::promotional::{self, Row};
use crate::PhoneNumber;

/// Where the people with some numbers may be.
#[derive(Debug)]
pub(super) struct Place {
    /// ISO 3166 code; in North America with the state or province.
    pub(super) region: &'static str,
    names: &'static str,
    zones: OnceLock<Box<[TimeZone]>>,
    /// Hours for promotional messages, all channels.
    pub(super) rows: Vec<&'static Row>,
}

impl Place {
    /// At least one. Read from the database when first asked for: most
    /// processes meet a few countries only.
    pub(super) fn zones(&self) -> &[TimeZone] {
        self.zones.get_or_init(|| {
            let zone = |name| TimeZone::get(name).expect("a test reads every name");
            self.names.split(' ').map(zone).collect()
        })
    }
}

pub(super) fn of(number: &PhoneNumber) -> Option<&'static Place> {
    PLACES.find(number.as_str())
}

/// A number of the United States of which nobody knows the state.
pub(super) fn nationwide() -> Option<&'static Place> {
    PLACES.find("+1")
}

/// A tree of digits.
struct Places {
    places: Vec<Place>,
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Default)]
struct Node {
    /// 0: none; the root is nobody's child.
    children: [u16; 10],
    place: Option<u16>,
}

static PLACES: LazyLock<Places> = LazyLock::new(|| {
    let mut all = Places { places: Vec::new(), nodes: vec![Node::default()] };
    for line in promotional::lines(include_str!("places.txt")) {
        all.add(line).expect("a test reads every row");
    }
    all
});

impl Places {
    fn add(&mut self, line: &'static str) -> Option<()> {
        let mut cells = line.split('|').map(str::trim);
        let (region, names, prefixes) = (cells.next()?, cells.next()?, cells.next()?);
        let place = u16::try_from(self.places.len()).ok()?;
        let mut rows: Vec<_> = promotional::rows().iter().filter(|row| row.is_of(region)).collect();
        // Of rules that end at once, the state's is told rather than the country's.
        rows.sort_by_key(|row| std::cmp::Reverse(row.region.len()));
        self.places.push(Place { region, names, zones: OnceLock::new(), rows });
        for prefix in prefixes.split(' ') {
            let mut node = 0;
            for digit in prefix.bytes() {
                let digit = usize::from(digit.checked_sub(b'0')?);
                let next = usize::from(*self.nodes[node].children.get(digit)?);
                node = if next == 0 { self.grow(node, digit)? } else { next };
            }
            // Nothing stands in the table twice.
            if self.nodes[node].place.replace(place).is_some() {
                return None;
            }
        }
        Some(())
    }

    fn grow(&mut self, node: usize, digit: usize) -> Option<usize> {
        let next = self.nodes.len();
        self.nodes[node].children[digit] = u16::try_from(next).ok()?;
        self.nodes.push(Node::default());
        Some(next)
    }

    fn find(&self, e164: &str) -> Option<&Place> {
        let mut node = &self.nodes[0];
        let mut found = None;
        for digit in e164.bytes().skip(1) {
            match node.children.get(usize::from(digit.wrapping_sub(b'0'))) {
                Some(&next) if next != 0 => node = &self.nodes[usize::from(next)],
                _ => break,
            }
            found = node.place.or(found);
        }
        found.map(|place| &self.places[usize::from(place)])
    }
}

#[cfg(test)]
pub(super) fn all() -> &'static [Place] {
    &PLACES.places
}
