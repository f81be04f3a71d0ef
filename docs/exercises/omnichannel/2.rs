//! The same request once more
//!
//! A request whose answer was lost comes again, perhaps over another channel, and is known by
//! its key.
//! `known` holds, for each key, the request and its answer.
//! Write `answer`: run a new request, repeat the answer to one that is known, and answer
//! `Reply::Refused(Why::KeyReused)` where the key was the name of another request.
//!
//! Hint: What is remembered is the request as well as its answer, or nobody could tell another
//! request under the same key.
//!
//! Hint: `known.get(key)` first; `insert` only after `run`.

use std::collections::HashMap;

use omnichannel::message::{Ask, Reply, Why};

/// The answer, which was found now or before.
pub fn answer(
    known: &mut HashMap<String, (Ask, Reply)>,
    key: &str,
    ask: &Ask,
    run: impl FnOnce(&Ask) -> Reply,
) -> Reply {
    // Solution:
    match known.get(key) {
        Some((asked, reply)) if asked == ask => reply.clone(),
        Some(_) => Reply::Refused(Why::KeyReused),
        None => {
            let reply = run(ask);
            known.insert(key.into(), (ask.clone(), reply.clone()));
            reply
        }
    }
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_name_of_one_request() {
        let (mut known, mut runs) = (HashMap::new(), 0);
        let put = |text: &str| Ask::Put { revision: 0, text: text.into() };
        let mut ask = |key: &str, ask: &Ask| {
            answer(&mut known, key, ask, |_| {
                runs += 1;
                Reply::Done(runs)
            })
        };
        assert_eq!(ask("a", &put("one")), Reply::Done(1));
        assert_eq!(ask("a", &put("one")), Reply::Done(1), "it was run a second time");
        assert_eq!(ask("a", &put("two")), Reply::Refused(Why::KeyReused));
        assert_eq!(ask("b", &put("two")), Reply::Done(2));
    }
}
