//! One release takes over from another in the middle of its work, in both
//! directions: real processes on one data folder, killed with -9. The provider
//! is a process of its own and outlives both.
//!
//! The release before is the commit in `previous-release`; it is built from the
//! repository's history. Where the history is not there this says so and passes;
//! with `CARILLON_REQUIRE_PREVIOUS=1` it fails instead.

mod previous;
mod stories;
