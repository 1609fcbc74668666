//! Many papers at once. All lines are looked at first, against the file and against what is kept, and
//! nothing is applied if one of them is bad.

use model::id::PersonId;
use model::mistake::Mistake;
use model::papers::csv::{self, Line, Sheet};

use super::{Entered, Entry, PaperError, Papers};
use crate::db::Tx;
use crate::error::Error;

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// Lines that changed something.
    pub changed: usize,
    /// Lines that had been entered before.
    pub unchanged: usize,
    /// Patients that the file introduced.
    pub introduced: usize,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// All mistakes of the file.
    #[error("the file has mistakes, nothing was imported")]
    Mistakes(Vec<Mistake>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

impl Papers {
    /// Imports a file of consent or withdrawal forms in one transaction. `file` names it in mistakes.
    ///
    /// # Errors
    /// [`ImportError::Mistakes`]; then nothing is applied.
    pub async fn import(
        &self,
        operator: PersonId,
        file: &str,
        bytes: &[u8],
        entry: Entry,
    ) -> Result<Imported, ImportError> {
        let read =
            csv::read(file, bytes).map_err(|mistake| ImportError::Mistakes(vec![mistake]))?;
        let mut tx = self.begin().await?;
        let mut run = Run {
            imported: Imported::default(),
            mistakes: read.mistakes,
            errors: Vec::new(),
        };
        match &read.sheet {
            Sheet::Consents(lines) => {
                for line in lines {
                    let entered =
                        Box::pin(self.desk(operator).enter(&mut tx, &line.paper, entry)).await;
                    run.take(file, line, entered)?;
                }
            }
            Sheet::Withdrawals(lines) => {
                for line in lines {
                    let withdrawn =
                        Box::pin(self.desk(operator).withdraw(&mut tx, &line.paper)).await;
                    run.take(file, line, withdrawn)?;
                }
            }
        }
        self.conclude(tx, run).await
    }

    async fn conclude(&self, tx: Tx, mut run: Run) -> Result<Imported, ImportError> {
        if run.mistakes.is_empty() {
            tx.commit().await?;
            return Ok(run.imported);
        }
        drop(tx);
        self.raise(&run.errors).await?;
        run.mistakes
            .sort_by_key(|mistake| (mistake.line, mistake.column));
        Err(ImportError::Mistakes(run.mistakes))
    }
}

/// An import on its way.
struct Run {
    imported: Imported,
    mistakes: Vec<Mistake>,
    errors: Vec<PaperError>,
}

impl Run {
    fn take<T>(
        &mut self,
        file: &str,
        line: &Line<T>,
        entered: Result<Entered, PaperError>,
    ) -> Result<(), Error> {
        let error = match entered {
            Ok(entered) => {
                self.imported.changed += usize::from(entered.changed);
                self.imported.unchanged += usize::from(!entered.changed);
                self.imported.introduced += usize::from(entered.created);
                return Ok(());
            }
            Err(PaperError::Store(error)) => return Err(error),
            Err(error) => error,
        };
        match &error {
            PaperError::Wrong(wrongs) => self.mistakes.extend(wrongs.iter().map(|wrong| {
                line.mistake(
                    "P0201",
                    file,
                    wrong.field,
                    &format!("{} {}", wrong.field, wrong.message),
                )
            })),
            PaperError::Conflict(conflict) => {
                self.mistakes.push(line.mistake(
                    "P0202",
                    file,
                    conflict.field(),
                    conflict.message(),
                ));
            }
            PaperError::NotFound | PaperError::Store(_) => {
                self.mistakes.push(line.mistake(
                    "P0203",
                    file,
                    "consent_no",
                    "there is no such consent",
                ));
            }
        }
        self.errors.push(error);
        Ok(())
    }
}
