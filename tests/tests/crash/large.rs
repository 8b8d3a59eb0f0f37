//! A file of 250, cut where pages and packs begin, go on and end.

use std::collections::BTreeSet;

use carillon_runtime::config::Tuning;
use futures::FutureExt;

use crate::point::{Fault, Point};
use crate::report::{self, Line};
use crate::run::{once, safely, side_by_side};
use crate::stage::Setting;
use crate::story::{Allowed, Story};

const PEOPLE: u32 = 250;
const PAGE: u32 = 100;
const PACK: u32 = 50;

fn story() -> Story {
    let tuning = Tuning {
        page_size: usize::try_from(PAGE).expect("few"),
        pack_size: usize::try_from(PACK).expect("few"),
        ..Setting::default().tuning
    };
    Story {
        name: "bulk of 250",
        tell: |s| {
            async move {
                let people: Vec<u32> = (0..PEOPLE).collect();
                s.bulk(&people, &[]).await;
                s.minutes(1).await;
            }
            .boxed()
        },
        setting: Setting { tuning, ..Setting::default() },
        allowed: Allowed::default(),
        every: 1,
    }
}

/// The first, second, middle and last of each page and each pack.
fn places(count: u32) -> BTreeSet<u32> {
    let mut places = BTreeSet::from([count]);
    for (size, groups) in [(PAGE, count.div_ceil(PAGE)), (PACK, count.div_ceil(PACK))] {
        for group in 0..groups {
            places.extend([1, 2, size / 2, size].map(|place| group * size + place));
        }
    }
    places.retain(|place| *place <= count);
    places
}

/// Each kind of operation at each of these places.
pub fn run() {
    let story = &story();
    let whole = side_by_side(&[()], async |theatre, ()| once(theatre, story, None).await);
    assert_eq!(whole[0].found.violations, [], "with no fault at all");
    let counts = &whole[0].counts;
    let operations = counts.values().sum::<u32>();
    let mut line = Line::new(story.name, usize::try_from(operations).expect("few"));
    let mut points = Vec::new();
    for (place, count) in counts {
        for nth in places(*count) {
            for fault in Fault::of(place.kind) {
                let point = Point { place: place.clone(), nth, fault: *fault, attempts: 1 };
                if !point.equals_another() {
                    points.push(point);
                }
            }
        }
    }
    println!("{operations} operations, {} points", points.len());
    let outcomes = side_by_side(&points, async |theatre, point| {
        safely(theatre, story, Some(point.clone())).await
    });
    for (point, outcome) in points.iter().zip(&outcomes) {
        line.add(&point.to_string(), outcome);
    }
    report::tell(&[line]);
}
