//! Two who change the same thing
//!
//! Two channels read revision 3 of a draft, and both write.
//! The one that comes second must not overwrite what it has not seen: a change names the
//! revision that it replaces.
//! Write `put`: change the draft and answer `Reply::Done` with its new revision, or answer
//! `Reply::Conflict` with the draft as it is.
//!
//! Hint: Compare `revision` with `draft.revision` before anything is changed.
//!
//! Hint: Each change makes the revision one higher.

use omnichannel::message::{Draft, Reply};

/// Replaces the text, if the draft is at this revision.
pub fn put(draft: &mut Draft, revision: u64, text: &str) -> Reply {
    // Solution:
    if draft.revision != revision {
        return Reply::Conflict(draft.clone());
    }
    draft.revision += 1;
    draft.text = Some(text.into());
    Reply::Done(draft.revision)
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_that_saw_one_revision_the_first_wins_and_the_other_is_told() {
        let mut draft = Draft::default();
        assert_eq!(put(&mut draft, 0, "Dear bank"), Reply::Done(1));
        let there = Draft { revision: 1, text: Some("Dear bank".into()) };
        assert_eq!(put(&mut draft, 0, "Dear Ann"), Reply::Conflict(there.clone()));
        assert_eq!(draft, there, "what was not seen is not overwritten");
        assert_eq!(put(&mut draft, 1, "Dear bank, Ann"), Reply::Done(2));
    }
}
