//! Whether items are the patient's: each is tested against the demographics that proved the link of its
//! number.

use normalize::lint;
use store::{Demographics, Error, Evidence, Outcome, Papers, Proof, RosterEntry};

use super::read::ReadFile;

/// Every item is tested against the demographics that proved the link of its number (`stated`); what
/// disagrees may be another patient's and is withheld. New demographics of the facility join the
/// evidence.
pub(crate) async fn test(
    papers: &Papers,
    entry: &RosterEntry,
    stated: &Demographics,
    read: &mut [ReadFile],
) -> Result<(), Error> {
    let said = |file: &ReadFile| {
        Some(Proof {
            patient: entry.patient,
            local_id: entry.links.get(file.number)?.local_id.clone(),
            evidence: facts(file.evidence.as_ref()?),
        })
    };
    let mut afresh = None;
    for file in read
        .iter()
        .filter(|file| file.is_demographics && file.item.outcome == Outcome::Read)
    {
        if let Some(said) = said(file).filter(|said| !stated.hold(said)) {
            papers
                .prove_link(said.patient, &said.local_id, &said.evidence)
                .await?;
            afresh = Some(papers.demographics(&[entry.patient]).await?);
        }
    }
    let stated = afresh.as_ref().unwrap_or(stated);
    // The files of a patient mostly say the same.
    let mut tested: Vec<(usize, normalize::Evidence, bool)> = Vec::new();
    for file in read
        .iter_mut()
        .filter(|file| file.item.outcome != Outcome::Withheld)
    {
        let known = tested.iter().find(|(number, evidence, _)| {
            *number == file.number && Some(evidence) == file.evidence.as_ref()
        });
        let fits = match known {
            Some((_, _, fits)) => *fits,
            None => said(file).is_some_and(|said| stated.fit(&said)),
        };
        if let (None, Some(evidence)) = (known, &file.evidence) {
            tested.push((file.number, evidence.clone(), fits));
        }
        if !fits {
            file.withhold(lint::D2302);
        }
    }
    Ok(())
}

/// What a facility's demographics say.
pub(crate) fn facts(evidence: &normalize::Evidence) -> Evidence {
    Evidence {
        birth_date: evidence.birth_date,
        sex: evidence.sex,
        kana: evidence.kana.clone(),
        kanji: evidence.kanji.clone(),
    }
}
