//! `musubi feed`: what a person says to a feed.

use std::path::Path;

use clap::{Args, Subcommand};

use crate::Exit;
use crate::opened::Opened;
use crate::output::Output;

/// Say something to a feed
#[derive(Args)]
#[command(after_help = "\
Examples:
  musubi feed resume demo-hospital     a mass change was looked at and is right: let it pass")]
pub(crate) struct Feed {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Let the next sweep take away what a mass change took away at the source
    Resume {
        /// Id of the feed
        feed: String,
    },
}

impl Feed {
    pub(crate) async fn run(self, config: Option<&Path>, output: Output) -> anyhow::Result<Exit> {
        let Command::Resume { feed } = self.command;
        let opened = Opened::new(config).await?;
        let known = opened.config.network.feeds.contains_key(&feed);
        let resumed = if known {
            opened.store.jobs().resume_feed(&feed).await
        } else {
            Ok(false)
        };
        opened.close().await;
        match (known, resumed?) {
            (false, _) => {
                output.failure(format_args!(
                    "there is no feed `{feed}`; `musubi status` lists them"
                ));
                Ok(Exit::Findings)
            }
            (true, false) => {
                output.line("the feed was not paused");
                Ok(Exit::Good)
            }
            (true, true) => {
                output.line("resumed: the next sweep lets the losses pass");
                Ok(Exit::Good)
            }
        }
    }
}
