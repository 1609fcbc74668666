//! Is the audit whole? Walks every writer's chain and compares its end with both signed heads.

use std::collections::BTreeMap;

use model::time::Instant;
use serde::Serialize;

use super::{Row, leaf, signed};
use crate::db::{Db, params};
use crate::error::Error;
use crate::keys::Keys;

const PAGE: i64 = 10_000;

/// What can be wrong with a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Damage {
    /// A row does not fit its hash, or was moved.
    Altered,
    /// A row is missing in the middle.
    Gap,
    /// Rows are missing at the end.
    Truncated,
    /// The chain is whole but another one was signed.
    Fork,
    /// A head's signature does not fit.
    Signature,
}

/// What was found about one writer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Walk {
    /// The writer.
    pub writer: i64,
    /// Number of rows.
    pub rows: i64,
    /// What is wrong, and at which row, when something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damage: Option<(Damage, i64)>,
}

/// What was found about all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// One entry a writer.
    pub writers: Vec<Walk>,
}

impl Verdict {
    /// Whether nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.writers.iter().all(|walk| walk.damage.is_none())
    }
}

struct Head {
    seq: i64,
    leaf: Vec<u8>,
    signature: Vec<u8>,
}

type Heads = BTreeMap<i64, Head>;

async fn heads(db: &Db, sql: &'static str) -> Result<Heads, Error> {
    let rows: Vec<(i64, i64, Vec<u8>, Vec<u8>)> = db.fetch_all(sql, params![]).await?;
    Ok(rows
        .into_iter()
        .map(|(writer, seq, leaf, signature)| {
            (
                writer,
                Head {
                    seq,
                    leaf,
                    signature,
                },
            )
        })
        .collect())
}

pub(super) async fn run(db: &Db, keys: &Keys) -> Result<Verdict, Error> {
    // The copies first: rows that come meanwhile only make chains longer.
    let copies = heads(
        keys.db(),
        "select writer, seq, head, signature from audit_head",
    )
    .await?;
    let own = heads(db, "select writer, seq, leaf, signature from head").await?;
    let rows: Vec<(i64,)> = db
        .fetch_all("select distinct writer from event", params![])
        .await?;
    let mut writers: Vec<i64> = rows
        .into_iter()
        .map(|(writer,)| writer)
        .chain(copies.keys().copied())
        .collect();
    writers.extend(own.keys());
    writers.sort_unstable();
    writers.dedup();
    let mut verdict = Verdict {
        writers: Vec::new(),
    };
    for writer in writers {
        let heads = [own.get(&writer), copies.get(&writer)];
        verdict.writers.push(walk(db, keys, writer, heads).await?);
    }
    Ok(verdict)
}

type EventRow = (i64, Vec<u8>, Vec<u8>, Vec<u8>, i64, i64, i64);

/// Whether the columns by which rows are found say what the row says.
fn is_found_as_written(content: &[u8], at: i64, patient: i64, person: i64) -> bool {
    Row::parse(content).is_ok_and(|row| {
        row.at == Instant(at).to_string()
            && row.person == person
            && row.patient.is_some() == (patient != 0)
    })
}

async fn walk(db: &Db, keys: &Keys, writer: i64, heads: [Option<&Head>; 2]) -> Result<Walk, Error> {
    let sql = "select seq, previous, leaf, content, at, patient, person from event \
               where writer = $1 and seq > $2 order by seq limit cast($3 as bigint)";
    let (mut seq, mut previous) = (0_i64, vec![0_u8; 32]);
    let mut leaves_at_heads = [None, None];
    loop {
        let rows: Vec<EventRow> = db.fetch_all(sql, params![writer, seq, PAGE]).await?;
        if rows.is_empty() {
            break;
        }
        for (number, before, kept, content, at, patient, person) in rows {
            let wrong = |damage| {
                Ok(Walk {
                    writer,
                    rows: seq,
                    damage: Some((damage, seq + 1)),
                })
            };
            if number != seq + 1 {
                return wrong(Damage::Gap);
            }
            if before != previous
                || kept != leaf(writer, number, &previous, &content)
                || !is_found_as_written(&content, at, patient, person)
            {
                return wrong(Damage::Altered);
            }
            (seq, previous) = (number, kept);
            for (head, leaf) in heads.iter().zip(leaves_at_heads.iter_mut()) {
                if head.is_some_and(|head| head.seq == seq) {
                    *leaf = Some(previous.clone());
                }
            }
        }
    }
    let damage = heads
        .iter()
        .zip(leaves_at_heads)
        .filter_map(|(head, leaf)| head.map(|head| (head, leaf)))
        .find_map(|(head, leaf)| judge(keys, writer, head, leaf.as_deref(), seq));
    let damage = match damage {
        None => unsigned(db, keys, writer, seq).await?,
        found => found,
    };
    Ok(Walk {
        writer,
        rows: seq,
        damage,
    })
}

/// The first row that no head signs: everybody can hash, only the writer can sign. A row and its head
/// are one transaction, so a head that is read after the row is never behind it.
async fn unsigned(
    db: &Db,
    keys: &Keys,
    writer: i64,
    last: i64,
) -> Result<Option<(Damage, i64)>, Error> {
    let sql = "select seq, leaf, signature from head where writer = $1";
    let head: Option<(i64, Vec<u8>, Vec<u8>)> = db.fetch_optional(sql, params![writer]).await?;
    let signs = |(seq, leaf, signature): (i64, Vec<u8>, Vec<u8>)| {
        keys.verify(&signed(writer, seq, &leaf), &signature)
            .then_some(seq)
    };
    let until = head.and_then(signs).unwrap_or(0);
    Ok((until < last).then_some((Damage::Signature, until + 1)))
}

fn judge(
    keys: &Keys,
    writer: i64,
    head: &Head,
    leaf: Option<&[u8]>,
    last: i64,
) -> Option<(Damage, i64)> {
    if !keys.verify(&signed(writer, head.seq, &head.leaf), &head.signature) {
        return Some((Damage::Signature, head.seq));
    }
    if head.seq > last {
        return Some((Damage::Truncated, last + 1));
    }
    (leaf != Some(head.leaf.as_slice())).then_some((Damage::Fork, head.seq))
}
