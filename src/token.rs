//! `musubi token`: read tokens of a person.

use std::path::Path;

use auth::{Auth, Refusal};
use clap::{Args, Subcommand};
use secrecy::ExposeSecret;
use serde_json::json;
use store::Login;

use crate::Exit;
use crate::opened::Opened;
use crate::output::Output;
use crate::person::{Refused, ask};

/// Make and end read tokens
#[derive(Args)]
#[command(after_help = "\
Examples:
  musubi token issue --as sato --hours 2      asks for the person's password and one-time code
  musubi token revoke --as sato               ends all tokens of the account

A token belongs to the person who types password and code: nobody makes one for somebody else. From a
pipe, password and code are the next two lines of standard input.")]
pub(crate) struct Token {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a read token; it is shown once
    Issue {
        /// Account name of the person who types password and code
        #[arg(long = "as", value_name = "LOGIN")]
        login: String,
        /// Life in hours, at most 12
        #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u8).range(1..=12))]
        hours: u8,
    },
    /// End all tokens of an account
    Revoke {
        /// Account name
        #[arg(long = "as", value_name = "LOGIN")]
        login: Login,
    },
}

impl Token {
    pub(crate) async fn run(self, config: Option<&Path>, output: Output) -> anyhow::Result<Exit> {
        let opened = Opened::new(config).await?;
        let done = self.act(&Auth::new(&opened.store), output).await;
        opened.close().await;
        done
    }

    async fn act(self, auth: &Auth, output: Output) -> anyhow::Result<Exit> {
        match self.command {
            Command::Issue { login, hours } => {
                let (password, code) = (ask("password")?, ask("one-time code")?);
                let issued = auth.issue_at_terminal(&login, password, &code, hours).await;
                let token = issued.map_err(|refusal| match refusal {
                    Refusal::Unavailable(error) => anyhow::Error::from(error),
                    refusal => Refused::new(refusal).into(),
                })?;
                output.json(&json!({
                    "schema": "musubi-token/1",
                    "token": token.text.expose_secret(),
                    "expires_at": token.expires_at.to_string(),
                }));
                output.line(token.text.expose_secret());
                output.error(format_args!("valid until {}; shown once", token.expires_at));
            }
            Command::Revoke { login } => {
                let ended = auth.revoke_tokens(&login).await?;
                output.json(&json!({ "schema": "musubi-token/1", "ended": ended }));
                output.line(format_args!("{ended} tokens ended"));
            }
        }
        Ok(Exit::Good)
    }
}
