//! Chance that repeats: the same seed throws the same numbers.

/// The splitmix64 generator.
pub struct Dice(pub u64);

impl Dice {
    /// A number from the whole range.
    pub fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.throw() % end
    }

    /// Whether something happens that happens in so many of a hundred cases.
    pub fn hit(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}
