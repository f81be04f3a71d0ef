//! Who is believed, and what is said to who is not: by the program itself.

use std::fs;
use std::time::{Duration, SystemTime};

use netcore::tls::{Authority, Folder, Purpose, Signed, Validity};
use tempfile::TempDir;

mod common;

use common::program::{Server, assert_refused, command, printed, run};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A folder with an authority, a server, and ann.
fn folder() -> TempDir {
    let parent = tempfile::tempdir().unwrap();
    let made = run(&["certs", &at(&parent), "--name", "ann"]);
    assert_eq!(made.status.code(), Some(0));
    assert_eq!(printed(&made).lines().count(), 6);
    parent
}

fn at(parent: &TempDir) -> String {
    parent.path().join("certs").to_str().unwrap().into()
}

/// The same folder with another certificate in the place of `name`'s.
fn replace(parent: &TempDir, name: &str, signed: &Signed) {
    Folder::at(at(parent)).keep(name, &signed.certificate, &signed.key).unwrap();
}

fn sign(parent: &TempDir, names: &[&str], purpose: Purpose, valid: Validity) -> Signed {
    Folder::at(at(parent)).authority().unwrap().sign(names, purpose, valid).unwrap()
}

fn yesterday() -> Validity {
    Validity { from: SystemTime::now() - 2 * DAY, until: SystemTime::now() - DAY }
}

fn tomorrow() -> Validity {
    Validity { from: SystemTime::now() + DAY, until: SystemTime::now() + 2 * DAY }
}

fn serve(parent: &TempDir, args: &[&str]) -> Server {
    Server::with(at(parent).as_ref(), args)
}

#[test]
fn a_client_that_believes_in_the_authority_is_served_under_each_name_of_the_server() {
    let certs = folder();
    let server = serve(&certs, &[]);
    for host in ["127.0.0.1", "localhost"] {
        let served = server.client(&["--host", host, "--certs", &at(&certs), "hello"]);
        assert_eq!((served.status.code(), printed(&served).as_str()), (Some(0), "hello\n"));
    }
}

#[test]
fn a_server_of_another_authority_is_refused() {
    let (certs, others) = (folder(), folder());
    let server = serve(&others, &[]);
    let refused = server.client(&["--certs", &at(&certs), "hello"]);
    assert_refused(&refused, "its certificate is of an authority that is not ours");
    server.log_up_to("dropped: refused by the other end");
}

#[test]
fn a_server_of_another_name_is_refused() {
    let certs = folder();
    let other = sign(&certs, &["example.org"], Purpose::Server, Validity::from_now());
    replace(&certs, "server", &other);
    let refused = serve(&certs, &[]).client(&["--certs", &at(&certs), "hello"]);
    assert_refused(&refused, "its certificate is for another name");
}

#[test]
fn a_server_whose_certificate_has_expired_or_is_not_valid_yet_is_refused() {
    let certs = folder();
    let cases = [(yesterday(), "has expired"), (tomorrow(), "is not valid yet")];
    for (valid, why) in cases {
        replace(&certs, "server", &sign(&certs, &["127.0.0.1"], Purpose::Server, valid));
        let refused = serve(&certs, &[]).client(&["--certs", &at(&certs), "hello"]);
        assert_refused(&refused, &format!("its certificate {why}"));
    }
}

#[test]
fn a_client_cannot_play_the_server_with_its_own_certificate() {
    let certs = folder();
    let names = ["ann", "localhost", "127.0.0.1"];
    replace(&certs, "server", &sign(&certs, &names, Purpose::Client, Validity::from_now()));
    let refused = serve(&certs, &[]).client(&["--certs", &at(&certs), "hello"]);
    assert_refused(&refused, "its certificate is for another purpose");
}

#[test]
fn a_server_without_a_folder_is_known_by_its_fingerprint_and_by_no_other() {
    let server = Server::start(&[]);
    let line = server.printed.recv().unwrap();
    let fingerprint = line.strip_prefix("fingerprint ").unwrap();
    let served = server.client(&["--fingerprint", fingerprint, "hello"]);
    assert_eq!((served.status.code(), printed(&served).as_str()), (Some(0), "hello\n"));
    let other = "0".repeat(64);
    let refused = server.client(&["--fingerprint", &other, "hello"]);
    assert_refused(&refused, "its certificate has another fingerprint");
    let usage = server.client(&["hello"]);
    assert_eq!(usage.status.code(), Some(2), "nobody is believed without a reason");
}

#[test]
fn a_client_is_let_in_by_its_certificate_and_the_log_calls_it_by_its_name() {
    let certs = folder();
    let server = serve(&certs, &["--mutual"]);
    let served = server.client(&["--certs", &at(&certs), "--as", "ann", "hello"]);
    assert_eq!((served.status.code(), printed(&served).as_str()), (Some(0), "hello\n"));
    let log = server.log_up_to("closed");
    let named: Vec<&String> = log
        .iter()
        .filter(|line| line.contains("127.0.0.1:") && !line.contains("connected"))
        .collect();
    assert_eq!(named.len(), 4, "{log:#?}");
    assert!(named.iter().all(|line| line.contains("/ann ")), "{log:#?}");
}

/// In TLS 1.3 its handshake is over before the server has seen its certificate, so it must
/// not take that for a success: not even where it has nothing to say.
#[test]
fn a_client_that_is_not_let_in_says_so_and_prints_nothing() {
    let (certs, others) = (folder(), folder());
    let server = serve(&certs, &["--mutual"]);
    let none = ["--certs", &at(&certs)];
    let named = ["--certs", &at(&certs), "--as", "ann"];
    let refused = |args: &[&str], why: &str| {
        for messages in [&["hello"][..], &[]] {
            assert_refused(&server.client(&[args, messages].concat()), why);
        }
    };
    refused(&none, "it wants a certificate");
    server.log_up_to("dropped: it shows no certificate");

    let [own, foreign] =
        [&certs, &others].map(|parent| Folder::at(at(parent)).authority().unwrap());
    let show = |authority: &Authority, valid| {
        replace(&certs, "ann", &authority.sign(&["ann"], Purpose::Client, valid).unwrap());
    };
    show(&foreign, Validity::from_now());
    refused(&named, "refused by the other end");
    server.log_up_to("dropped: its certificate is of an authority that is not ours");
    show(&own, yesterday());
    refused(&named, "our certificate has expired");
    server.log_up_to("dropped: its certificate has expired");
    show(&own, tomorrow());
    refused(&named, "refused by the other end");
    server.log_up_to("dropped: its certificate is not valid yet");
    show(&own, Validity::from_now());
    assert_eq!(printed(&server.client(&[&named[..], &["hello"]].concat())), "hello\n");
}

#[test]
fn certificates_that_are_there_stay_and_keys_are_their_owners_alone() {
    let certs = folder();
    let key = fs::read(certs.path().join("certs/authority.key")).unwrap();
    let more = run(&["certs", &at(&certs), "--name", "ann", "--name", "bob"]);
    assert_eq!(printed(&more).lines().count(), 2, "bob's two files");
    let none = run(&["certs", &at(&certs), "--name", "bob"]);
    assert!(printed(&none).contains("has them all already"));
    assert_eq!(fs::read(certs.path().join("certs/authority.key")).unwrap(), key);
    #[cfg(unix)]
    for name in ["authority", "server", "ann", "bob"] {
        use std::os::unix::fs::PermissionsExt;
        let path = certs.path().join("certs").join(format!("{name}.key"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn what_is_missing_of_a_folder_is_made() {
    let certs = folder();
    for missing in ["server.pem", "server.key", "ann.key"] {
        fs::remove_file(certs.path().join("certs").join(missing)).unwrap();
        let made = run(&["certs", &at(&certs), "--name", "ann"]);
        assert_eq!(printed(&made).lines().count(), 2, "{missing}: both files");
        let served =
            serve(&certs, &["--mutual"]).client(&["--certs", &at(&certs), "--as", "ann", "hello"]);
        assert_eq!(printed(&served), "hello\n", "{missing}");
    }
}

#[test]
fn a_name_that_would_be_another_file_is_none() {
    let parent = tempfile::tempdir().unwrap();
    for name in ["../ann", "", "server", "Server", "authority", "a/b", "-", "ann.key"] {
        let refused = run(&["certs", &at(&parent), &format!("--name={name}")]);
        assert_eq!(refused.status.code(), Some(2), "{name:?}");
    }
    let refused = run(&["certs", &at(&parent), "--name", "ann", "--name", "Ann"]);
    assert_eq!(refused.status.code(), Some(2), "one file for two names");
    assert!(!parent.path().join("certs").exists());
}

/// Such as a volume of a container, or one that was made to be nobody else's.
#[test]
fn an_empty_folder_is_filled_and_not_replaced() {
    let parent = tempfile::tempdir().unwrap();
    let certs = parent.path().join("certs");
    fs::create_dir(&certs).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&certs, fs::Permissions::from_mode(0o700)).unwrap();
    }
    // The folder that it is in.
    let made = command(&["certs", "."]).current_dir(&certs).output().unwrap();
    assert_eq!(printed(&made).lines().count(), 4);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&certs).unwrap().permissions().mode() & 0o777, 0o700);
    }
    let with_a_slash = format!("{}/", parent.path().join("others").display());
    assert_eq!(printed(&run(&["certs", &with_a_slash])).lines().count(), 4);
}

#[test]
fn a_folder_of_something_else_is_left_as_it_is() {
    let parent = tempfile::tempdir().unwrap();
    fs::create_dir(parent.path().join("certs")).unwrap();
    fs::write(parent.path().join("certs/novel.txt"), "once upon a time").unwrap();
    let refused = run(&["certs", &at(&parent)]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(fs::read_dir(parent.path().join("certs")).unwrap().count(), 1);
}

/// It would be shown to nobody, and whoever asked for it would not learn of that.
#[test]
fn a_certificate_to_show_without_the_folder_that_has_it_is_wrong_usage() {
    let fingerprint = "a".repeat(64);
    for believes in [&[][..], &["--fingerprint", &fingerprint]] {
        let refused = run(&[&["client", "--port", "1", "--as", "ann", "hi"], believes].concat());
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    }
}
