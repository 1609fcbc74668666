//! A batch of the inbox: messages of many patients, those of one together.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use model::id::PatientNumber;
use store::{Bearing, Demographics, Error, PatientChange, Waiting};

use super::Lane;
use super::named::{OfPatients, Theirs};
use crate::report::Report;

/// So many patients are read at once.
const AT_ONCE: usize = 8;
/// A paper that comes in between makes a patient start again, at most so often.
const ATTEMPTS: usize = 5;

impl Lane {
    pub(super) async fn take(
        &self,
        messages: Vec<Waiting>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let mut of: OfPatients = BTreeMap::new();
        for message in messages {
            of.entry(message.patient)
                .or_default()
                .push(Arc::new(message));
        }
        let (patients, stated) = match self.looked_up(&of).await {
            Err(Error::Corrupt(_)) => {
                report.patients += of.len();
                let read = self.each_alone(of.keys(), &of, report).await?;
                report.add(read);
                return Ok(());
            }
            looked_up => looked_up?,
        };
        let stated = &stated;
        report.patients += patients.len();
        let changes = stream::iter(patients).map(|(theirs, bearing)| async move {
            let mut report = Report::default();
            let change = self.change(theirs, bearing, stated, &mut report).await;
            change.map(|change| (change, report))
        });
        let mut changes = changes.buffered(AT_ONCE);
        let mut batch = Vec::new();
        while let Some(change) = changes.next().await {
            match change {
                Ok((change, one)) => {
                    report.add(one);
                    batch.extend(change);
                }
                Err(error) => report.about_one(error)?,
            }
        }
        drop(changes);
        self.accept(batch, &of, report).await
    }

    /// The messages of each patient under their names, with what is kept and bears on them, and what the
    /// facility said of the patients. That is asked last: whoever adds to it after the look at what is
    /// kept comes to accept it behind this batch, or makes this batch start again.
    async fn looked_up(
        &self,
        of: &OfPatients,
    ) -> Result<(Vec<(Theirs, Bearing)>, Demographics), Error> {
        let (facility, intake) = (&self.feed.facility, self.store.intake());
        let patients: Vec<PatientNumber> = of.keys().copied().collect();
        let entries = self.papers.entries(facility, &patients).await?;
        let named = self.named(entries, of).await?;
        let touching = named.iter().map(|theirs| self.touching(theirs));
        let mut bearing = intake
            .bearing(facility, &touching.collect::<Vec<_>>())
            .await?;
        let with = |theirs: Theirs| {
            let bearing = bearing.remove(&theirs.entry.patient);
            (theirs, bearing.unwrap_or_default())
        };
        let looked_up = named.into_iter().map(with).collect();
        Ok((looked_up, self.papers.demographics(&patients).await?))
    }

    /// Accepts a batch. A paper that came in between stops it, and so does what is kept of one patient
    /// and does not open: then each patient is read again, alone.
    async fn accept(
        &self,
        batch: Vec<PatientChange>,
        of: &OfPatients,
        report: &mut Report,
    ) -> Result<(), Error> {
        let patients = batch.iter().map(|change| change.patient);
        let patients: Vec<PatientNumber> = patients.collect();
        match self.store.intake().accept(batch).await {
            Err(Error::StaleEpoch | Error::NotFound | Error::Corrupt(_)) => report.repeated += 1,
            other => return other,
        }
        // What is read again is counted already.
        let read = self.each_alone(&patients, of, report).await;
        read.map(drop)
    }

    /// Reads and accepts each patient's messages alone; what was read.
    async fn each_alone(
        &self,
        patients: impl IntoIterator<Item = &PatientNumber>,
        of: &OfPatients,
        report: &mut Report,
    ) -> Result<Report, Error> {
        let mut read = Report::default();
        for patient in patients {
            if let Some(messages) = of.get(patient) {
                let one = BTreeMap::from([(*patient, messages.clone())]);
                match self.alone(&one).await {
                    Ok(one) => read.add(one),
                    Err(error) => report.about_one(error)?,
                }
            }
        }
        Ok(read)
    }

    async fn alone(&self, of: &OfPatients) -> Result<Report, Error> {
        for _ in 0..ATTEMPTS {
            match self.again(of).await {
                Err(Error::StaleEpoch) => {}
                other => return other,
            }
        }
        Err(Error::StaleEpoch)
    }

    async fn again(&self, of: &OfPatients) -> Result<Report, Error> {
        let mut report = Report::default();
        let (patients, stated) = self.looked_up(of).await?;
        for (theirs, bearing) in patients {
            let change = self.change(theirs, bearing, &stated, &mut report).await?;
            let intake = self.store.intake();
            intake.accept(change.into_iter().collect()).await?;
        }
        Ok(report)
    }
}
