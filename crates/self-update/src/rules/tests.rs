use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_800_000_000;

fn wanted() -> Wanted {
    Wanted {
        program: "self-update".into(),
        target: "x86_64-linux".into(),
        largest: 1000,
        pre_releases: false,
    }
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn offer(text: &str) -> Manifest {
    Manifest {
        program: "self-update".into(),
        version: version(text),
        target: "x86_64-linux".into(),
        file: "release".into(),
        size: 1000,
        sha256: String::new(),
        expires: NOW + 1,
        next_key: None,
    }
}

fn decided(manifest: &Manifest, memory: &Memory) -> Result<Decision, Refused> {
    decide(manifest, memory, &wanted(), NOW)
}

fn older(offered: &str, known: &str) -> Result<Decision, Refused> {
    Err(Refused::Older { offered: version(offered), known: version(known) })
}

#[test]
fn what_is_newer_is_installed_and_what_is_older_refused() {
    let memory = Memory::new(version("1.9.0"));
    assert_eq!(decided(&offer("1.10.0"), &memory), Ok(Decision::Install));
    assert_eq!(decided(&offer("2.0.0"), &memory), Ok(Decision::Install));
    assert_eq!(decided(&offer("1.9.0"), &memory), Ok(Decision::Keep(Why::Same)));
    assert_eq!(decided(&offer("1.9.0+build.2"), &memory), Ok(Decision::Keep(Why::Same)));
    assert_eq!(decided(&offer("1.8.99"), &memory), older("1.8.99", "1.9.0"));
    // 1.10 is newer than 1.9: numbers, not text.
    let memory = Memory::new(version("1.10.0"));
    assert_eq!(decided(&offer("1.9.0"), &memory), older("1.9.0", "1.10.0"));
}

#[test]
fn an_older_one_is_refused_after_a_newer_was_seen_whatever_became_of_that() {
    let mut memory = Memory::new(version("1.0.0"));
    memory.begin(&offer("3.0.0"), "digest".into());
    memory.abandon();
    assert_eq!(decided(&offer("2.0.0"), &memory), older("2.0.0", "3.0.0"));
    // That one was cut off, and is no worse for it.
    assert_eq!(decided(&offer("3.0.0"), &memory), Ok(Decision::Install));
    memory.begin(&offer("3.0.0"), "digest".into());
    memory.fail();
    memory.restored();
    assert_eq!(decided(&offer("2.0.0"), &memory), older("2.0.0", "3.0.0"));
    assert_eq!(decided(&offer("3.0.0"), &memory), Ok(Decision::Keep(Why::Failed)));
    assert_eq!(decided(&offer("3.0.1"), &memory), Ok(Decision::Install));
}

#[test]
fn what_is_for_another_or_too_late_or_too_large_is_refused() {
    let memory = Memory::new(version("1.0.0"));
    let with = |change: fn(&mut Manifest)| {
        let mut manifest = offer("2.0.0");
        change(&mut manifest);
        decided(&manifest, &memory)
    };
    assert!(matches!(with(|it| it.program = "other".into()), Err(Refused::NotForUs(_))));
    assert!(matches!(with(|it| it.target = "x86_64-windows".into()), Err(Refused::NotForUs(_))));
    assert_eq!(with(|it| it.expires = NOW), Err(Refused::Expired));
    assert_eq!(with(|it| it.expires = 0), Err(Refused::Expired));
    assert_eq!(with(|it| it.size = 1001), Err(Refused::Size(1001)));
    assert_eq!(with(|it| it.size = 0), Err(Refused::Size(0)));
}

#[test]
fn pre_releases_come_before_their_release_and_only_to_those_who_want_them() {
    // The example of semver.org, section 11.
    let order = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
    ];
    let brave = Wanted { pre_releases: true, ..wanted() };
    for pair in order.windows(2) {
        let (before, after) = (Memory::new(version(pair[0])), Memory::new(version(pair[1])));
        let up = decide(&offer(pair[1]), &before, &brave, NOW);
        assert_eq!(up, Ok(Decision::Install), "{pair:?}");
        let down = decide(&offer(pair[0]), &after, &brave, NOW);
        assert_eq!(down, older(pair[0], pair[1]), "{pair:?}");
    }
    let memory = Memory::new(version("1.0.0"));
    let rc = offer("2.0.0-rc.1");
    assert_eq!(decided(&rc, &memory), Ok(Decision::Keep(Why::PreRelease)));
    assert_eq!(decide(&rc, &memory, &brave, NOW), Ok(Decision::Install));
    // Who has one already gets the release.
    let memory = Memory::new(version("2.0.0-rc.1"));
    assert_eq!(decided(&offer("2.0.0"), &memory), Ok(Decision::Install));
}

#[test]
fn a_key_changes_when_the_manifest_that_names_the_next_one_is_done_with() {
    let mut memory = Memory::new(version("1.0.0"));
    let change = Manifest { next_key: Some("B".into()), ..offer("2.0.0") };
    memory.begin(&change, "first".into());
    // Not before: it would have to be verified once more to be brought to its end.
    assert_eq!(memory.key, None);
    memory.succeed();
    assert_eq!(memory.key.as_deref(), Some("B"));
    memory.begin(&offer("3.0.0"), "second".into());
    memory.succeed();
    assert_eq!(memory.key.as_deref(), Some("B"));
    // One that did not run was the publisher's all the same.
    memory.begin(&Manifest { next_key: Some("C".into()), ..offer("4.0.0") }, "third".into());
    memory.fail();
    assert_eq!(memory.key.as_deref(), Some("B"));
    memory.restored();
    assert_eq!(memory.key.as_deref(), Some("C"));
    // A look later, the same manifest is still there.
    memory.settle(Some("C".into()), "third".into());
    assert_eq!(memory.key.as_deref(), Some("C"));
}

#[test]
fn whoever_starts_knows_where_an_update_was_cut_off() {
    let (old, new) = (version("1.0.0"), version("2.0.0"));
    let mut memory = Memory::new(old.clone());
    assert_eq!(memory.interrupted(&old), Interrupted::Harmless);
    memory.begin(&offer("2.0.0"), "digest".into());
    assert_eq!(memory.interrupted(&old), Interrupted::Harmless);
    assert_eq!(memory.interrupted(&new), Interrupted::Untried);
    memory.fail();
    assert_eq!(memory.interrupted(&new), Interrupted::Failed);
    // The old one was put back, and nobody had the time to note it.
    assert_eq!(memory.interrupted(&old), Interrupted::Harmless);
    memory.abandon();
    assert_eq!((memory.trial, memory.failed), (None, Some(new)));
}

/// How an update ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Runs,
    DoesNotRun,
    CutOffBefore,
    CutOffAfterAndRuns,
    CutOffAfterAndDoesNotRun,
}

prop_compose! {
    fn any_offer()(
        (major, minor, patch) in (0..3_u64, 0..12_u64, 0..3_u64),
        pre in proptest::option::of(0..3_u8),
        late: bool,
    ) -> Manifest {
        let mut text = format!("{major}.{minor}.{patch}");
        if let Some(pre) = pre {
            text.push_str(&format!("-rc.{pre}"));
        }
        Manifest { expires: if late { NOW } else { NOW + 1 }, ..offer(&text) }
    }
}

fn any_end() -> impl Strategy<Value = End> {
    proptest::sample::select(vec![
        End::Runs,
        End::DoesNotRun,
        End::CutOffBefore,
        End::CutOffAfterAndRuns,
        End::CutOffAfterAndDoesNotRun,
    ])
}

proptest! {
    /// Whatever is offered, in whatever order and however each update ends.
    #[test]
    fn it_never_goes_back_and_tries_nothing_twice_that_did_not_run(
        offers in proptest::collection::vec((any_offer(), any_end()), 1..60),
        pre_releases: bool,
    ) {
        let wanted = Wanted { pre_releases, ..wanted() };
        let mut memory = Memory::new(version("0.5.0"));
        let (mut failed, mut begun) = (Vec::new(), vec![version("0.5.0")]);
        for (manifest, end) in offers {
            let before = memory.clone();
            let decided = decide(&manifest, &memory, &wanted, NOW);
            if decided != Ok(Decision::Install) {
                prop_assert_eq!(&memory, &before);
                continue;
            }
            let offered = &manifest.version;
            prop_assert!(manifest.expires > NOW);
            prop_assert!(offered > &before.installed);
            prop_assert!(begun.iter().all(|begun| begun <= offered));
            prop_assert!(!failed.contains(offered));
            prop_assert!(pre_releases || offered.pre.is_empty());
            begun.push(offered.clone());
            memory.begin(&manifest, offered.to_string());
            match end {
                End::CutOffBefore => {
                    prop_assert_eq!(memory.interrupted(&before.installed), Interrupted::Harmless);
                    memory.abandon();
                }
                End::CutOffAfterAndRuns | End::CutOffAfterAndDoesNotRun => {
                    prop_assert_eq!(memory.interrupted(offered), Interrupted::Untried);
                }
                End::Runs | End::DoesNotRun => {}
            }
            match end {
                End::Runs | End::CutOffAfterAndRuns => memory.succeed(),
                End::DoesNotRun | End::CutOffAfterAndDoesNotRun => {
                    memory.fail();
                    memory.restored();
                    failed.push(offered.clone());
                }
                End::CutOffBefore => {}
            }
            let runs = matches!(end, End::Runs | End::CutOffAfterAndRuns);
            let installed = if runs { offered } else { &before.installed };
            prop_assert_eq!(&memory.installed, installed);
            prop_assert_eq!(&memory.trial, &None);
        }
    }
}
