//! `musubi user`: accounts.

use std::path::Path;

use auth::{Auth, EnrolError};
use clap::{Args, Subcommand};
use model::id::FacilityId;
use model::network::Profession;
use secrecy::ExposeSecret;
use serde_json::json;
use store::{Login, NewPerson};

use crate::Exit;
use crate::opened::Opened;
use crate::output::Output;
use crate::person::{Refused, ask, operator};

/// Open, renew and shut accounts
#[derive(Args)]
#[command(after_help = "\
Examples:
  musubi user add sato --name 佐藤一郎 --profession physician --facility 1319999902
  musubi user totp sato            a fresh secret for one-time codes; sessions and tokens end
  musubi user disable sato         shut at once
  musubi user unlock sato --reason 'called back, forgot the password' --as admin

The password is asked for; from a pipe it is the next line of standard input.")]
pub(crate) struct User {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Open an account; prints the secret for one-time codes once
    Add {
        /// Account name
        login: Login,
        /// Name as shown to others
        #[arg(long)]
        name: String,
        /// Profession: physician, nurse, pharmacist, secretariat, administrator, …
        #[arg(long, value_parser = profession)]
        profession: Profession,
        /// Facility that the person acts for
        #[arg(long)]
        facility: FacilityId,
    },
    /// Give an account a fresh secret for one-time codes
    Totp {
        /// Account name
        login: Login,
    },
    /// Take back what failed sign-ins counted against an account
    Unlock {
        /// Account name
        login: Login,
        /// Why; it stands in the audit
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Login of the person who knows the account's
        #[arg(long = "as", value_name = "LOGIN")]
        operator: Option<String>,
    },
    /// Shut an account
    Disable {
        /// Account name
        login: Login,
    },
}

fn profession(word: &str) -> Result<Profession, String> {
    let words = || {
        Profession::ALL
            .iter()
            .map(|(_, name)| *name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    Profession::named(word).ok_or_else(|| format!("one of {}", words()))
}

/// What the regulation does not allow, apart from what the environment lacks.
fn refused(error: EnrolError) -> anyhow::Error {
    match error {
        EnrolError::Store(error) => missing(error),
        EnrolError::Profession | EnrolError::Facility | EnrolError::Password(_) => {
            Refused::new(error).into()
        }
    }
}

fn missing(error: store::Error) -> anyhow::Error {
    match error {
        store::Error::NotFound => Refused::new("there is no such account").into(),
        store::Error::Conflict(why) => Refused::new(why).into(),
        error => error.into(),
    }
}

impl User {
    pub(crate) async fn run(self, config: Option<&Path>, output: Output) -> anyhow::Result<Exit> {
        let opened = Opened::new(config).await?;
        let done = self.act(&opened, output).await;
        opened.close().await;
        done
    }

    async fn act(self, opened: &Opened, output: Output) -> anyhow::Result<Exit> {
        let auth = Auth::new(&opened.store);
        let enrolment = match self.command {
            Command::Add {
                login,
                name,
                profession,
                facility,
            } => {
                let password = ask("password")?;
                auth.enrol(
                    &NewPerson {
                        login,
                        name,
                        profession,
                        facility,
                    },
                    password,
                )
                .await
            }
            Command::Totp { login } => auth.new_codes(&login).await,
            Command::Disable { login } => {
                auth.disable(&login).await.map_err(missing)?;
                output.json(&json!({ "schema": "musubi-user/1", "disabled": login.as_str() }));
                output.line("the account is shut; its sessions and tokens ended");
                return Ok(Exit::Good);
            }
            Command::Unlock {
                login,
                reason,
                operator: by,
            } => {
                let by = match by {
                    Some(by) => Some(operator(&opened.store, &by).await?),
                    None => None,
                };
                auth.unlock(&login, by, &reason).await.map_err(missing)?;
                output.json(&json!({ "schema": "musubi-user/1", "unlocked": login.as_str() }));
                output.line("the account is unlocked");
                return Ok(Exit::Good);
            }
        };
        let enrolment = enrolment.map_err(refused)?;
        output.json(&json!({
            "schema": "musubi-user/1",
            "secret": enrolment.secret.expose_secret(),
            "link": enrolment.link.expose_secret(),
        }));
        output.line(format_args!(
            "secret for one-time codes (shown once): {}",
            enrolment.secret.expose_secret()
        ));
        output.line(enrolment.link.expose_secret());
        Ok(Exit::Good)
    }
}
