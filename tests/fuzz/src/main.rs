//! The long run: libFuzzer leads, the target is named in the environment.
//! Started by `tests/fuzz/run`, which also sets the compiler's flags.

#![no_main]

use std::sync::LazyLock;

use carillon_fuzz::{Target, target};
use libfuzzer_sys::fuzz_target;

#[expect(clippy::disallowed_methods, reason = "libFuzzer keeps the arguments for itself")]
static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("CARILLON_FUZZ_TARGET").unwrap_or_default();
    target(&name).unwrap_or_else(|| panic!("CARILLON_FUZZ_TARGET names no target: “{name}”"))
});

fuzz_target!(|data: &[u8]| (TARGET.check)(data));
