//! A fault let loose on a rung's real server, and what becomes of an ordinary client.
#![forbid(unsafe_code)]

mod between;
pub mod faults;
pub mod live;
pub mod outcome;
pub mod peer;
mod row;
pub mod stage;
pub mod timeline;
pub mod treatment;
mod watched;
pub mod wire;

use std::sync::{Mutex, PoisonError};

use ladder::Failure;
use netfault::{Fault, Proof};

pub use between::between;
pub use faults::{Faults, load};
pub use outcome::{Expected, Outcome};
pub use stage::{Cast, Stage};
pub use watched::why_not;

/// Held by the trial with more clients than [`faults::A_CROWD`].
static LARGEST: Mutex<()> = Mutex::new(());

/// Starts the server with its arguments, lets `fault` loose on it and sees what becomes
/// of an ordinary client.
///
/// # Errors
/// [`Failure::Skipped`] where it cannot be played here: another system is needed, say.
pub fn play(cast: Cast, fault: &Fault, expected: Expected) -> Result<Outcome, Failure> {
    faults::check_files(fault)?;
    let is_largest = fault.files > faults::A_CROWD;
    let _alone = is_largest.then(|| LARGEST.lock().unwrap_or_else(PoisonError::into_inner));
    match fault.proof {
        Proof::Process(what) => treatment::play(cast, fault, what),
        _ => peer::play(cast, fault, expected),
    }
}
