//! What takes too long for every change: `cargo test -p carillon-tests --test full -- --ignored`.

mod people;
mod scale;
