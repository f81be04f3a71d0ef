//! Durations, sizes, numbers and folders as they are written on the command line.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::error::reason;

/// A duration as it is written on the command line: `500ms`, `5s`, `2m`.
///
/// # Errors
/// A sentence for clap to show.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split_unit(text);
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => return Err("a duration is written as 500ms, 5s or 2m".into()),
    };
    match number.parse::<u64>().ok().and_then(|number| number.checked_mul(milliseconds)) {
        Some(0) => Err("a limit of no time at all would end everything at once".into()),
        Some(whole) => Ok(Duration::from_millis(whole)),
        None => Err("a duration is written as 500ms, 5s or 2m".into()),
    }
}

/// A size as it is written on the command line, in bytes: `512`, `64k`, `1m` (1,024 and
/// 1,048,576).
///
/// # Errors
/// A sentence for clap to show.
pub fn size(text: &str) -> Result<usize, String> {
    let (number, unit) = split_unit(text);
    let bytes = match unit {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        _ => return Err("a size is written as 512, 64k or 1m".into()),
    };
    match number.parse::<usize>().ok().and_then(|number| number.checked_mul(bytes)) {
        Some(0) => Err("a size of no bytes at all leaves nothing to send".into()),
        Some(size) => Ok(size),
        None => Err("a size is written as 512, 64k or 1m".into()),
    }
}

/// A limit on how many of something there may be: `64`.
///
/// # Errors
/// A sentence for clap to show.
pub fn count<N: FromStr>(text: &str) -> Result<N, String> {
    match (text.parse(), text.parse()) {
        (Ok(0_u128), _) => Err("a limit of none at all would let nothing happen".into()),
        (Ok(_), Ok(count)) => Ok(count),
        (Ok(_), Err(_)) => Err("there cannot be so many".into()),
        (Err(_), _) => Err("a number is written as 1, 64 or 1000".into()),
    }
}

/// A folder that is there. A mistyped one is told before a server listens, and not by a
/// 404 for everything that is in it.
pub fn folder() -> impl TypedValueParser<Value = PathBuf> {
    path(is_folder)
}

/// What `read` makes of the path in an argument, which may be any bytes; its error is a
/// sentence for clap to show.
pub fn path<T: Clone + Send + Sync + 'static>(
    read: fn(&Path) -> Result<T, String>,
) -> impl TypedValueParser<Value = T> {
    OsStringValueParser::new().try_map(move |path| read(Path::new(&path)))
}

fn is_folder(path: &Path) -> Result<PathBuf, String> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(path.into()),
        Ok(_) => Err("it is no folder".into()),
        Err(error) if error.kind() == ErrorKind::NotFound => Err("there is no such folder".into()),
        Err(error) => Err(reason(&error)),
    }
}

fn split_unit(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_they_are_written() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for wrong in [
            "",
            "5",
            "s",
            "-5s",
            "5 s",
            "5h",
            "0s",
            "99999999999999999999s",
            "18446744073709551615m",
        ] {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_longest_duration_that_can_be_written_fits_on_the_clock() {
        let longest = duration(&format!("{}ms", u64::MAX)).unwrap();
        assert!(std::time::Instant::now().checked_add(longest).is_some());
    }

    #[test]
    fn sizes_are_read_as_they_are_written() {
        assert_eq!(size("512"), Ok(512));
        assert_eq!(size("64k"), Ok(65_536));
        assert_eq!(size("1m"), Ok(1_048_576));
        for wrong in ["", "0", "0k", "k", "-1", "1g", "1.5m", "99999999999999999999"] {
            assert!(size(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_limit_is_one_at_least_and_what_its_type_holds_at_most() {
        assert_eq!(count("1"), Ok(1_usize));
        assert_eq!(count("255"), Ok(std::num::NonZeroU8::MAX));
        for wrong in ["", "0", "00", "-1", "1k", "1.5", "256", "9999999999999999999999999"] {
            assert!(count::<u8>(wrong).is_err(), "{wrong:?}");
        }
        // Not that it is no number.
        let told = count::<u8>("256").unwrap_err();
        assert!(told.contains("so many"), "{told}");
    }

    #[test]
    fn a_folder_is_there_and_is_one() {
        assert_eq!(is_folder(Path::new("src")), Ok(PathBuf::from("src")));
        for wrong in ["no such folder", "Cargo.toml", ""] {
            assert!(is_folder(Path::new(wrong)).is_err(), "{wrong:?}");
        }
    }

    /// macOS and Windows have names of text alone.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_path_can_be_any_bytes() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;

        use clap::{Arg, Command};

        let name = [b"netcore-\xff-", std::process::id().to_string().as_bytes()].concat();
        let odd = std::env::temp_dir().join(OsStr::from_bytes(&name));
        std::fs::create_dir(&odd).unwrap();
        let command = Command::new("any").arg(Arg::new("folder").value_parser(folder()));
        let matches = command.try_get_matches_from([OsStr::new("any"), odd.as_os_str()]);
        std::fs::remove_dir(&odd).unwrap();
        assert_eq!(matches.unwrap().get_one("folder"), Some(&odd));
    }
}
