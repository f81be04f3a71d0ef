//! The faults that there are for a rung, by what its manifest says that it speaks.

use clap::ValueEnum;
use ladder::manifests::{Carrier, Limit};
use ladder::near::{nearest, there_are};
use ladder::{Address, Failure, Ladder, Rung, failure};
use netfault::{Fault, Proof, Running, Speaks, Target, descriptors};

/// Files of the trials beside one with a crowd, each of which has a few.
const FILES_BESIDE: u64 = 400;

/// Clients of a usual crowd. Of those with more there is one at a time.
pub const A_CROWD: u64 = 1_000;

pub trait Faults {
    /// The rung.
    fn rung(&self) -> &Rung;

    /// What its server understands.
    fn speaks(&self) -> Speaks {
        // A word that there is not has been told by `load`.
        let word = self.rung().speaks.as_deref();
        word.and_then(|word| language(word).ok()).unwrap_or(match self.rung().transport {
            Carrier::Tcp => Speaks::Bytes,
            Carrier::Unix => Speaks::Local,
            Carrier::Udp => Speaks::Datagrams,
        })
    }

    /// One whole message as it is on the wire, which the server answers.
    fn hello(&self) -> &'static [u8] {
        self.speaks().hello()
    }

    /// The faults that there are for what its server understands.
    fn faults(&self) -> impl Iterator<Item = &'static Fault> {
        let speaks = self.speaks();
        netfault::ALL.iter().filter(move |fault| fault.is_for(speaks))
    }

    /// Arguments of its server that make this fault show soon.
    fn args_for(&self, fault: &Fault) -> Vec<String> {
        let rung = self.rung();
        let mut args = rung.server_args.clone();
        args.extend(rung.limit(fault.name).into_iter().flat_map(|limit| limit.server_args.clone()));
        if matches!(fault.proof, Proof::Served | Proof::Told) {
            args.extend(rung.few_places.iter().cloned());
        }
        // HTTP has words for a server that is full, so nobody waits for a limit there.
        let waits = fault.proof == Proof::Told && !self.speaks().is_http();
        if waits || fault.proof == Proof::Dropped {
            args.extend(rung.short_limits.iter().cloned());
        }
        args
    }
}

impl Faults for Rung {
    fn rung(&self) -> &Rung {
        self
    }
}

/// The ladder, where every fault that a manifest names is one that there is for what its
/// rung speaks.
pub fn load() -> Result<Ladder, Failure> {
    let ladder = Ladder::load()?;
    ladder.rungs.iter().try_for_each(check)?;
    Ok(ladder)
}

pub fn find(name: &str) -> Result<&'static Fault, Failure> {
    netfault::find(name).ok_or_else(|| {
        let known: Vec<&str> = netfault::ALL.iter().map(|fault| fault.name).collect();
        let help = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean {near}?"),
            None => there_are(&known),
        };
        Failure::Usage(format!(
            "no fault is called {name}; {help}\n\
             hint: cargo run -p netfault -- list says what each of them is"
        ))
    })
}

/// Fails where this process may not open as many files as `fault` needs, beside those of
/// others that are played at the same time.
pub fn check_files(fault: &Fault) -> Result<(), Failure> {
    if fault.files == 0 || descriptors::allow_many() >= FILES_BESIDE + A_CROWD + fault.files {
        return Ok(());
    }
    let why = format!("this process may not open as many files as {} needs", fault.name);
    Err(Failure::Skipped(why))
}

/// Lets `fault` loose on the server of `rung` at `address`.
pub fn start(rung: &Rung, fault: &Fault, address: &Address) -> Result<Running, Failure> {
    let certs = rung.certs_folder();
    let (speaks, hello) = (Faults::speaks(rung), Faults::hello(rung));
    let target = Target::new(address, speaks, hello);
    let target = Target { certs: certs.as_deref(), ..target };
    fault.start(&target).map_err(|error| {
        failure!("the fault {} cannot begin with {}: {error}", fault.name, rung.name)
    })
}

fn check(rung: &Rung) -> Result<(), Failure> {
    let wrong = |what: String| failure!("{}: {what}", rung.name);
    if let Some(word) = &rung.speaks {
        language(word).map_err(wrong)?;
    }
    let why = rung.why.iter().map(|why| why.fault.as_str());
    for name in why.chain(rung.limits.iter().flat_map(Limit::faults)) {
        let fault = find(name).map_err(|failure| wrong(failure.to_string()))?;
        if !fault.is_for(Faults::speaks(rung)) {
            return Err(wrong(format!("there is no {name} for what it speaks")));
        }
    }
    Ok(())
}

/// The words are those of `netfault --speaks`.
fn language(word: &str) -> Result<Speaks, String> {
    Speaks::from_str(word, false).map_err(|_| format!("there is nothing called {word} to speak"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut Rung)) -> String {
        let mut rung = Ladder::load().unwrap().rungs.remove(1);
        assert!(check(&rung).is_ok());
        change(&mut rung);
        check(&rung).unwrap_err().to_string()
    }

    #[test]
    fn a_fault_that_there_is_not_is_told_with_the_rung() {
        let limit = |fault: &str| Limit {
            fault: fault.into(),
            also: Vec::new(),
            lifted_by: "three-echo".into(),
            server_args: Vec::new(),
        };
        let said = refused(|rung| rung.limits.push(limit("shy")));
        assert!(said.starts_with("reusable-echo: no fault is called shy; there are\n"), "{said}");
        let said = refused(|rung| rung.limits.push(limit("silnt")));
        assert!(said.contains("no fault is called silnt; did you mean silent?\nhint: "), "{said}");
        let said = refused(|rung| rung.limits.push(limit("loss")));
        assert_eq!(said, "reusable-echo: there is no loss for what it speaks");
        let said = refused(|rung| rung.speaks = Some("latin".into()));
        assert_eq!(said, "reusable-echo: there is nothing called latin to speak");
    }
}
