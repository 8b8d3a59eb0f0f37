//! Random schedules.

use carillon_local::engines::Verdict;

use crate::point::{Fault, Place};

#[derive(Debug, Clone)]
pub struct Dice;

impl Dice {
    pub fn call(&self, _: &Place, _: u32) -> Option<Fault> {
        None
    }
    pub fn operation(&self, _: &Place, _: u32) -> Verdict {
        Verdict::Pass
    }
}
