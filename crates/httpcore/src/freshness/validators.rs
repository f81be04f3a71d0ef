//! What tells one version of a file from another: the entity tag and the date of the
//! last change ([RFC 9110 section 8.8](https://www.rfc-editor.org/rfc/rfc9110#section-8.8)).

use std::fs::Metadata;
#[cfg(target_os = "linux")]
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A file changed less than this ago may change again within the same stamp on file
/// systems that stamp in seconds.
const YOUNG: Duration = Duration::from_secs(2);

/// File systems that stamp in nanoseconds take them from a clock that ticks: about
/// every 16 ms on Windows; Linux tells how often. Two changes within one tick have the
/// same stamp.
const TICK: Duration = Duration::from_millis(20);

/// The version of a file, as it is told to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validators {
    /// The entity tag without its quotes.
    pub tag: String,
    /// Whether equal tags promise equal bytes.
    pub strength: Strength,
    /// When the file was changed, in whole seconds since 1970: what dates in requests
    /// are compared with.
    pub changed: u64,
    /// What Last-Modified says, which may be less.
    pub last_modified: u64,
}

/// How much an entity tag promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// Equal tags are equal bytes.
    Strong,
    /// Equal tags are close enough to show, not to put a download together from.
    Weak,
}

impl Validators {
    /// Those of a file that was looked at `now`.
    pub fn of(metadata: &Metadata, now: SystemTime) -> Validators {
        Validators::from_parts(
            metadata.len(),
            modified(metadata),
            changed(metadata),
            inode(metadata),
            now,
        )
    }

    fn from_parts(
        length: u64,
        modified: SystemTime,
        changed: SystemTime,
        inode: u64,
        now: SystemTime,
    ) -> Validators {
        let [stamp, changed, now_stamp] = [modified, changed, now]
            .map(|time| time.duration_since(UNIX_EPOCH).unwrap_or_default());
        // Tools that copy or build set the date of a file back to what it was. The time at
        // which they did so tells.
        let mut tag =
            format!("{length:x}-{:x}-{:x}-{inode:x}", stamp.as_nanos(), changed.as_nanos());
        // That time alone: a date can be set to any moment, also to one that is yet to come.
        let may_repeat = now_stamp.saturating_sub(changed) < resolution(changed);
        if may_repeat {
            // The next change may leave everything above as it is. So this tag is never given
            // again, and never matches: a change of the same length is not answered
            // with 304.
            tag = format!("{tag}-{:x}", now_stamp.as_nanos());
        }
        // A date that lies ahead says nothing about the age.
        let dated = if stamp > now_stamp { changed } else { stamp };
        let is_young = may_repeat || now_stamp.saturating_sub(dated) < YOUNG;
        Validators {
            tag,
            strength: if is_young { Strength::Weak } else { Strength::Strong },
            changed: stamp.as_secs(),
            last_modified: last_modified(stamp.as_secs(), now_stamp),
        }
    }

    /// The value of the ETag field.
    pub fn etag(&self) -> String {
        match self.strength {
            Strength::Strong => format!("\"{}\"", self.tag),
            Strength::Weak => format!("W/\"{}\"", self.tag),
        }
    }
}

/// Whether the file can change without a sign of it in its metadata: then it must not
/// be kept in memory. `quiet` is for how long nothing about it must have changed.
///
/// That is always so where only dates are told that can be set back: on Windows.
pub fn is_unsettled(metadata: &Metadata, now: SystemTime, quiet: Duration) -> bool {
    // One that was changed in the future is as good as changed now.
    cfg!(not(unix)) || now.duration_since(changed(metadata)).unwrap_or_default() < quiet
}

/// The date that is told. While the second of the change is not over, a later change
/// could fall into it, and two versions would have one date; so the second before is
/// told, which no version will be mistaken for. This also keeps the date from lying in
/// the future (section 8.8.2.1). The clock of files is behind by up to a tick: a second
/// is over once that is over too.
fn last_modified(modified: u64, now: Duration) -> u64 {
    modified.min(now.saturating_sub(tick()).as_secs().saturating_sub(1))
}

/// How far apart two changes must be for their stamps to differ.
fn resolution(stamp: Duration) -> Duration {
    // A whole second is likelier to be a coarse clock than chance.
    if stamp.subsec_nanos() == 0 { YOUNG } else { tick() }
}

#[cfg(target_os = "linux")]
fn tick() -> Duration {
    // It is fixed when the system is built.
    static TOLD: OnceLock<Duration> = OnceLock::new();
    *TOLD.get_or_init(|| {
        let tick = rustix::time::clock_getres(rustix::time::ClockId::RealtimeCoarse);
        Duration::try_from(tick).unwrap_or(TICK)
    })
}

#[cfg(not(target_os = "linux"))]
fn tick() -> Duration {
    TICK
}

/// The date of the content. Whoever may write to the file can set it.
fn modified(metadata: &Metadata) -> SystemTime {
    metadata.modified().unwrap_or(UNIX_EPOCH)
}

/// When anything about the file was changed, which nobody can set.
#[cfg(unix)]
fn changed(metadata: &Metadata) -> SystemTime {
    use std::os::unix::fs::MetadataExt;
    let seconds = Duration::from_secs(metadata.ctime().try_into().unwrap_or(0));
    UNIX_EPOCH + seconds + Duration::from_nanos(metadata.ctime_nsec().try_into().unwrap_or(0))
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

/// Windows tells neither through std.
#[cfg(not(unix))]
fn changed(metadata: &Metadata) -> SystemTime {
    modified(metadata)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(milliseconds)
    }

    fn seen(changed: u64, now: u64) -> Validators {
        Validators::from_parts(5, at(changed), at(changed), 7, at(now))
    }

    #[test]
    fn a_tag_is_weak_while_the_file_is_young_and_strong_afterwards() {
        assert_eq!(seen(10_100, 12_099).strength, Strength::Weak);
        assert_eq!(seen(10_100, 12_100).strength, Strength::Strong);
        assert!(seen(10_100, 10_500).etag().starts_with("W/\"5-"));
        assert_eq!(seen(10_100, 10_500).tag, seen(10_100, 99_000).tag);
    }

    /// A date can be set back to what it was, and ahead of the clock.
    #[test]
    fn the_age_of_a_file_is_not_what_its_date_says() {
        let dated = |modified, changed, now| {
            Validators::from_parts(5, at(modified), at(changed), 7, at(now))
        };
        assert_eq!(dated(90_100, 10_100, 12_100).strength, Strength::Strong);
        assert_eq!(dated(90_100, 10_100, 12_100).tag, dated(90_100, 10_100, 15_000).tag);
        assert_eq!(dated(90_100, 10_100, 12_099).strength, Strength::Weak);
        let back = dated(1_100, 50_100, 50_100);
        assert_ne!(back.tag, dated(1_100, 50_100, 50_101).tag);
        assert_eq!(back.strength, Strength::Weak);
        assert_eq!(dated(1_100, 50_100, 50_200).strength, Strength::Strong);
    }

    #[test]
    fn length_times_and_inode_make_the_tag() {
        let tag = |length, modified, changed, inode| {
            Validators::from_parts(length, at(modified), at(changed), inode, at(99_000)).tag
        };
        assert_ne!(tag(5, 10_100, 20_100, 7), tag(6, 10_100, 20_100, 7));
        assert_ne!(tag(5, 10_100, 20_100, 7), tag(5, 10_101, 20_100, 7));
        assert_ne!(tag(5, 10_100, 20_100, 7), tag(5, 10_100, 20_101, 7));
        assert_ne!(tag(5, 10_100, 20_100, 7), tag(5, 10_100, 20_100, 8));
    }

    #[test]
    fn a_tag_given_within_the_tick_of_the_change_never_comes_again() {
        assert_ne!(seen(10_100, 10_100).tag, seen(10_100, 99_000).tag);
        // A stamp in whole seconds: the clock of this file system may tick once in two seconds.
        assert_ne!(seen(10_000, 11_900).tag, seen(10_000, 99_000).tag);
    }

    #[test]
    fn last_modified_is_a_second_that_is_over() {
        assert_eq!(seen(10_100, 11_500).last_modified, 10);
        // A file that is changed now may still get a stamp of the second before.
        assert_eq!(seen(10_100, 11_000).last_modified, 9);
        assert_eq!(seen(10_100, 10_900).last_modified, 9);
        assert_eq!(seen(50_000, 10_900).last_modified, 9);
        assert_eq!(
            Validators::from_parts(5, UNIX_EPOCH, UNIX_EPOCH, 7, at(10_000)).last_modified,
            0
        );
    }
}
