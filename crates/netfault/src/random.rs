//! Random numbers that are the same for the same seed, so that a run can be repeated.

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators",
/// 2014). Not for secrets.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// From here on, the numbers of `seed`.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to 1, without 1.
    pub fn fraction(&mut self) -> f64 {
        // As many bits as the mantissa holds.
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// `true` as often as `probability` says, from 0 (never) to 1 (always).
    pub fn happens(&mut self, probability: f64) -> bool {
        self.fraction() < probability
    }

    /// So many bytes that mean nothing.
    pub fn noise(&mut self, length: usize) -> Vec<u8> {
        std::iter::repeat_with(|| self.bits().to_le_bytes()[0]).take(length).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_numbers_and_another_one_others() {
        let noise = |seed| Random::new(seed).noise(64);
        assert_eq!(noise(7), noise(7));
        assert_ne!(noise(7), noise(8));
    }

    #[test]
    fn what_has_a_probability_happens_about_as_often() {
        let mut random = Random::new(7);
        assert!(!random.happens(0.0) && random.happens(1.0));
        let count = (0..10_000).filter(|_| random.happens(0.3)).count();
        assert!((2_800..3_200).contains(&count), "{count}");
    }
}
