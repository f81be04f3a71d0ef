//! What a command line says of secrets.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::Args;

use super::members::{Member, Members, Right, add};
use crate::Error;
use crate::cli::{Also, path, print};
use crate::tls::Folder;

/// Who a client is, and what it wants.
#[derive(Debug, Clone, Args)]
pub struct LoginArgs {
    /// Take the secret from this file: a name, its secret and its rights in each line
    #[arg(long, value_name = "FILE", value_parser = path(Members::read))]
    pub secrets: Members,
    /// The name to log in by
    #[arg(long, value_name = "NAME")]
    pub login: String,
    /// Ask for upper case, which not every name may
    #[arg(long)]
    pub upper: bool,
}

impl LoginArgs {
    /// Whose secret it is, and what is wished for.
    ///
    /// # Errors
    /// [`Error::Usage`] for a name that is not in the file.
    pub fn member(&self) -> Result<(&Member, Right), Error> {
        let missing = || Error::Usage(format!("{:?} has no secret in this file", self.login));
        let member = self.secrets.find(&self.login).ok_or_else(missing)?;
        Ok((member, if self.upper { Right::Upper } else { Right::Echo }))
    }
}

/// Where certificates and secrets are made, and for whom.
#[derive(Debug, Clone, Args)]
pub struct SecretsArgs {
    /// The folder, which is made; what is there already stays
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// A name that gets a secret and may echo; may be repeated
    #[arg(long, value_name = "NAME")]
    pub name: Vec<String>,
    /// A name that gets a secret and may have upper case as well; may be repeated
    #[arg(long, value_name = "NAME")]
    pub upper: Vec<String>,
}

/// The command `certs` of a server that knows its clients by their secrets.
pub const SECRETS: Also<SecretsArgs> = Also {
    name: "certs",
    about: "Make an authority, a certificate for the server, and a secret for each name",
    example: [
        "certs --name ann",
        "--certs certs --secrets certs/secrets",
        "--certs certs --secrets certs/secrets --login ann",
    ],
    run: make_secrets,
};

fn make_secrets(args: SecretsArgs) -> Result<(), Error> {
    let names = args.name.iter().map(|name| (name.as_str(), "echo"));
    let names: Vec<(&str, &str)> =
        names.chain(args.upper.iter().map(|name| (name.as_str(), "echo upper"))).collect();
    if let Some((wrong, _)) = names.iter().find(|(name, _)| !Member::is_name(name)) {
        let text = "a name is made of at most 32 letters, digits and hyphens";
        return Err(Error::Usage(format!("{wrong:?} is no name: {text}")));
    }
    let mut once = HashSet::new();
    if let Some((twice, _)) = names.iter().find(|(name, _)| !once.insert(*name)) {
        return Err(Error::Usage(format!("{twice:?} is given twice, and a name has one secret")));
    }
    let made = Folder::at(&args.folder).make(&[])?;
    made.iter().try_for_each(|path| print(path.display()))?;
    let path = args.folder.join("secrets");
    let added = add(&path, &names).map_err(Error::failed(format!("write {}", path.display())))?;
    match added {
        0 if made.is_empty() => {
            print(format_args!("{} has them all already", args.folder.display()))
        }
        0 => Ok(()),
        _ => print(path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_given_twice_gets_no_second_secret() {
        let folder = std::env::temp_dir().join(format!("netcore-twice-{}", std::process::id()));
        let [ann, bob] = ["ann", "bob"].map(String::from);
        let twice = [(vec![ann.clone(), ann.clone()], vec![bob]), (vec![ann.clone()], vec![ann])];
        for (name, upper) in twice {
            let refused = make_secrets(SecretsArgs { folder: folder.clone(), name, upper });
            assert!(matches!(refused, Err(Error::Usage(_))), "{refused:?}");
            assert!(!folder.exists());
        }
    }
}
