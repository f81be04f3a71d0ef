use std::fs;
use std::path::PathBuf;

use httpcore::freshness::Strength;

use super::*;
use crate::files::resolve::Links;

fn entry(path: PathBuf, content: Kept) -> Entry {
    let identity = Identity::of(&fs::metadata(&path).unwrap());
    let validators =
        Validators { tag: "t".into(), strength: Strength::Strong, changed: 0, last_modified: 0 };
    let location = Location::new(path.parent().unwrap(), &path, Links::Inside);
    Entry { location, identity, validators, content }
}

fn in_memory(bytes: &[u8]) -> Kept {
    Kept::InMemory(Arc::new(Stored { fields: Vec::new(), bytes: bytes.to_vec() }))
}

#[test]
fn a_file_that_has_changed_is_not_given() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, "one").unwrap();
    let store = Cache::default();
    store.put(b"/a", entry(path.clone(), in_memory(b"one")));
    assert!(store.get(b"/a").is_some());
    assert!(store.get(b"/b").is_none());
    fs::write(&path, "three").unwrap();
    assert!(store.get(b"/a").is_none());
    store.put(b"/a", entry(path.clone(), in_memory(b"three")));
    fs::remove_file(&path).unwrap();
    assert!(store.get(b"/a").is_none());
    assert!(store.kept.read().unwrap().entries.is_empty());
}

/// Linux tells when anything about a file was changed, which nobody can set.
#[cfg(target_os = "linux")]
#[test]
fn only_what_leaves_a_sign_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, "one").unwrap();
    let metadata = fs::metadata(&path).unwrap();
    let after = |seconds| metadata.modified().unwrap() + Duration::from_secs(seconds);
    for (system, seconds, keeping) in [
        (FileSystem::Disk, 1, Keeping::Nothing),
        (FileSystem::Disk, 3, Keeping::Open),
        (FileSystem::Disk, 59, Keeping::Open),
        (FileSystem::Disk, 61, Keeping::InMemory),
        (FileSystem::Memory, 1, Keeping::Nothing),
        (FileSystem::Memory, 3_600, Keeping::Open),
        (FileSystem::Foreign, 3_600, Keeping::Nothing),
        (FileSystem::Made, 3_600, Keeping::Nothing),
    ] {
        assert_eq!(Keeping::of(system, &metadata, after(seconds)), keeping, "{system:?}");
    }
    // A clock that was ahead and has been set right.
    let before = metadata.modified().unwrap() - Duration::from_secs(3_600);
    assert_eq!(Keeping::of(FileSystem::Disk, &metadata, before), Keeping::Nothing);
}

#[test]
fn what_is_kept_has_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, "one").unwrap();
    let store = Cache::default();
    let large = vec![b'x'; FILE_LIMIT as usize];
    for n in 0..TOTAL_LIMIT / large.len() + 10 {
        store.put(format!("/{n}").as_bytes(), entry(path.clone(), in_memory(&large)));
        store.put(b"/again", entry(path.clone(), in_memory(&large)));
    }
    let kept = store.kept.read().unwrap();
    let real: usize = kept.entries.iter().map(|(key, entry)| cost(key, entry).0).sum();
    assert_eq!(kept.bytes, real);
    assert!(kept.bytes <= TOTAL_LIMIT && kept.entries.len() > 1);
}

#[test]
fn only_so_many_files_are_kept_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, "one").unwrap();
    let open = || {
        let file = Arc::new(File::open(&path).unwrap());
        Kept::Open(Arc::new(Opened { fields: Vec::new(), file, length: 3 }))
    };
    let store = Cache::default();
    store.put(b"/small", entry(path.clone(), in_memory(b"one")));
    for n in 0..3 * OPEN_FILES {
        store.put(format!("/{n}").as_bytes(), entry(path.clone(), open()));
        store.put(b"/again", entry(path.clone(), open()));
        let kept = store.kept.read().unwrap();
        assert!(kept.open <= OPEN_FILES && kept.open + 1 == kept.entries.len());
    }
    assert!(store.get(b"/small").is_some());
}
