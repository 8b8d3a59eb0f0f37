//! The real process, ended in the middle of its work and started again: what the provider received is counted
//! in the simulator's own file, which outlives it. Real time: an attempt that was lost is asked for after a
//! minute, and twice a minute apart before it counts as not sent.

mod random;
mod stories;
