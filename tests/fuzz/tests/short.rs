//! The short run: every seed, everything that a long run once found, and some
//! thousand edits of them, the same each time.

use std::fs;
use std::path::{Path, PathBuf};

use carillon_fuzz::{TARGETS, Target};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

/// Edited inputs a target.
const CASES: u32 = 5_000;
/// No input of this run is longer; the long one has its own limit.
const MAX_BYTES: usize = 16 * 1024;

/// `seeds` were written by hand, `findings` are inputs that once failed.
fn kept(target: Target) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> = ["seeds", "findings"]
        .map(|kind| Path::new(env!("CARGO_MANIFEST_DIR")).join(kind).join(target.name))
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flat_map(|folder| folder.map(|entry| entry.expect("an entry").path()))
        .collect();
    files.sort();
    files.iter().map(|file| fs::read(file).expect("an input")).collect()
}

/// One change of an input, by places in it.
#[derive(Debug, Clone)]
enum Edit {
    Put(Index, u8),
    Insert(Index, Vec<u8>),
    Cut(Index, Index),
    Repeat(Index, Index, usize),
    /// From here on, another of the inputs from there on.
    Splice(Index, Index, Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    let telling = prop::sample::select(b"\"',;{}%#+=@\n\r\0\xff\xc3 :-|0".to_vec());
    let byte = prop_oneof![telling, any::<u8>()].boxed();
    prop_oneof![
        (at(), byte.clone()).prop_map(|(at, byte)| Edit::Put(at, byte)),
        (at(), vec(byte, 1..8)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        (at(), at()).prop_map(|(from, to)| Edit::Cut(from, to)),
        (at(), at(), 1..20_usize).prop_map(|(from, to, times)| Edit::Repeat(from, to, times)),
        (at(), at(), at()).prop_map(|(at, other, from)| Edit::Splice(at, other, from)),
    ]
}

fn apply(mut data: Vec<u8>, edit: &Edit, inputs: &[Vec<u8>]) -> Vec<u8> {
    let place = |index: &Index, len: usize| index.index(len + 1);
    let range = |a: &Index, b: &Index, len: usize| {
        let (a, b) = (place(a, len), place(b, len));
        a.min(b)..a.max(b)
    };
    match edit {
        Edit::Put(at, byte) if !data.is_empty() => {
            let at = at.index(data.len());
            data[at] = *byte;
        }
        Edit::Put(_, byte) => data.push(*byte),
        Edit::Insert(at, bytes) => {
            let at = place(at, data.len());
            data.splice(at..at, bytes.iter().copied());
        }
        Edit::Cut(from, to) => drop(data.drain(range(from, to, data.len()))),
        Edit::Repeat(from, to, times) => {
            let range = range(from, to, data.len());
            let piece = data[range.clone()].repeat(*times);
            data.splice(range, piece);
        }
        Edit::Splice(at, other, from) => {
            let other = other.get(inputs);
            data.truncate(place(at, data.len()));
            data.extend(&other[place(from, other.len())..]);
        }
    }
    data.truncate(MAX_BYTES);
    data
}

fn run(name: &str) {
    let target = carillon_fuzz::target(name).expect("a target");
    let inputs = kept(target);
    assert!(inputs.len() >= 3, "a target has seeds");
    inputs.iter().for_each(|input| (target.check)(input));

    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let rng = proptest::test_runner::TestRng::deterministic_rng(config.rng_algorithm);
    let edited = (any::<Index>(), vec(edit(), 1..8)).prop_map(|(first, edits)| {
        edits.iter().fold(first.get(&inputs).clone(), |data, edit| apply(data, edit, &inputs))
    });
    let result = TestRunner::new_with_rng(config, rng).run(&edited, |data| {
        (target.check)(&data);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

macro_rules! targets {
    ($($name:ident),+ $(,)?) => {
        $(#[test] fn $name() { run(stringify!($name)); })+

        #[test]
        fn every_target_is_run() {
            let run = [$(stringify!($name)),+];
            assert!(TARGETS.iter().map(|target| target.name).eq(run), "{run:?}");
        }
    };
}

targets! { csv, phone, segments, template, dlt, callback, signature, cursor, json }
