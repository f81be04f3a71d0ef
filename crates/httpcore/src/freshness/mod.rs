//! Which version of a resource there is, whether a request is about that one, and which
//! parts of it are wanted.

mod conditional;
mod range;
mod validators;

pub use self::conditional::{Verdict, range_holds, weigh};
pub use self::range::{RANGE_LIMIT, Wanted, wanted};
pub use self::validators::{Strength, Validators, is_unsettled};
