//! Who a command acts for, and how secrets are asked for at a terminal.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Context, bail};
use model::id::PersonId;
use model::network::Profession;
use secrecy::SecretString;
use store::{Login, Store};

/// The person behind `--as`: papers name who entered them. Only the secretariat enters papers, as
/// over HTTP.
///
/// # Errors
/// When there is no such active account, or it is not the secretariat's.
pub(crate) async fn secretary(store: &Store, login: &str) -> anyhow::Result<PersonId> {
    let (person, profession) = find(store, login).await?;
    if profession != Profession::Secretariat {
        bail!(Refused::new(
            "papers are entered by the secretariat; `musubi user add … --profession secretariat`"
        ));
    }
    Ok(person)
}

/// The person behind `--as`, of any role.
///
/// # Errors
/// When there is no such active account.
pub(crate) async fn operator(store: &Store, login: &str) -> anyhow::Result<PersonId> {
    Ok(find(store, login).await?.0)
}

async fn find(store: &Store, login: &str) -> anyhow::Result<(PersonId, Profession)> {
    let login: Login = login.parse().context("this is no account name")?;
    let account = store.accounts().account(&login).await?;
    let person = account
        .map(|account| account.person)
        .filter(|person| person.active);
    let person = person.context(Refused::new(
        "there is no such active account; `musubi user add` makes one",
    ))?;
    Ok((person.id, person.profession))
}

/// Something that a rule of the network does not allow.
#[derive(Debug)]
pub(crate) struct Refused(String);

impl Refused {
    /// For this reason.
    pub(crate) fn new(reason: impl std::fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// Asks for a secret: at a terminal without showing it, else the next line of standard input.
///
/// # Errors
/// When nothing can be read.
pub(crate) fn ask(what: &str) -> anyhow::Result<SecretString> {
    let terminal = std::io::stdin().is_terminal();
    if terminal {
        let mut prompt = std::io::stderr().lock();
        write!(prompt, "{what}: ")
            .and_then(|()| prompt.flush())
            .context("ask")?;
        set_echo(false);
    }
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    if terminal {
        set_echo(true);
        drop(writeln!(std::io::stderr().lock()));
    }
    read.with_context(|| format!("read the {what}"))?;
    Ok(SecretString::from(
        line.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}

/// Shows or hides what is typed; a terminal that cannot hide shows it.
fn set_echo(on: bool) {
    let mode = if on { "echo" } else { "-echo" };
    drop(
        std::process::Command::new("stty")
            .arg(mode)
            .stdin(std::process::Stdio::inherit())
            .status(),
    );
}
