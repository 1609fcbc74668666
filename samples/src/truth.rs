//! What a correct reader gives for one patient, as JSON with the nouns of FHIR.
//!
//! Values are decimal text exactly as sent; codes carry the v2 name of their system; times are
//! FHIR `dateTime` in +09:00. Readers compare entries by `slot`, which is
//! `診療日/データ種別/オーダNo`.

use crate::content::encounter::Event;
use crate::content::{Family, Message, Record};
use crate::current::{State, current};
use crate::storage::{Flag, Kind, Slot, Version};
use crate::tape::Said;
use crate::time::Moment;
use crate::tree::Tree;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// One patient's files, with what was said in each version.
pub(crate) struct Reading<'a> {
    tree: &'a Tree,
    said: &'a BTreeMap<Version, Said>,
}

impl<'a> Reading<'a> {
    pub(crate) const fn new(tree: &'a Tree, said: &'a BTreeMap<Version, Said>) -> Self {
        Self { tree, said }
    }

    /// The truth, with the stays that are joined from several files.
    pub(crate) fn truth(&self, stays: &[Record]) -> Map<String, Value> {
        let mut lists: BTreeMap<Family, Vec<Value>> = BTreeMap::new();
        let of_slots = self
            .tree
            .slots()
            .into_iter()
            .flat_map(|slot| self.slot(slot));
        let mut stays = stays.to_vec();
        self.mark_stays(&mut stays);
        for record in stays.into_iter().chain(of_slots) {
            lists.entry(record.family).or_default().push(record.value);
        }
        if let Some(allergies) = lists.get_mut(&Family::Allergies) {
            without_repeated_snapshots(allergies);
        }
        let mut truth = Map::new();
        truth.insert("patient".to_owned(), self.patient());
        for family in Family::ALL {
            let list = lists.remove(&family).unwrap_or_default();
            truth.insert(family.name().to_owned(), Value::Array(list));
        }
        truth.insert("withheld".to_owned(), self.findings(true));
        truth.insert("findings".to_owned(), self.findings(false));
        truth.insert("deletedSlots".to_owned(), self.deleted());
        truth.insert("files".to_owned(), json!(self.tree.len()));
        truth
    }

    fn slot(&self, slot: &Slot) -> Vec<Record> {
        let mut records = match slot.kind {
            // Two receptions of one day share a slot: each counts, superseded or not.
            Kind::Adt12 => self.receptions(slot),
            // Stays are joined from all events of a patient.
            Kind::Adt22 | Kind::Adt52 => Vec::new(),
            _ => self.current(slot),
        };
        if slot.kind == Kind::Ppr01 {
            let absent = self.absent_problems(slot, &records);
            records.extend(absent);
        }
        for record in &mut records {
            mark(&mut record.value, "slot", json!(slot.to_string()));
        }
        records
    }

    /// Marks the stays of which the admission or the discharge stands in superseded versions only:
    /// whoever reads such a stay must know that part of it is being replaced.
    fn mark_stays(&self, stays: &mut [Record]) {
        let events = self.tree.slots().into_iter().filter_map(|slot| {
            let State::SupersededOnly(time) = self.tree.state(slot) else {
                return None;
            };
            match &self.said(slot, time)?.message {
                Message::Encounter(Event::Admission(stay) | Event::Discharge(stay)) => {
                    Some(json!(stay.admitted.iso_second()))
                }
                _ => None,
            }
        });
        let begins: Vec<Value> = events.collect();
        let superseded = |stay: &&mut Record| {
            let begin = stay.value.get("start");
            begin.is_some_and(|begin| begins.contains(begin))
        };
        for stay in stays.iter_mut().filter(superseded) {
            mark(&mut stay.value, "tag", json!("superseded-only"));
        }
    }

    fn receptions(&self, slot: &Slot) -> Vec<Record> {
        let kept = self.kept(slot).into_iter();
        let mut records: Vec<Record> = kept.flat_map(Said::records).collect();
        if matches!(self.tree.state(slot), State::SupersededOnly(_)) {
            mark_superseded(&mut records);
        }
        records
    }

    fn current(&self, slot: &Slot) -> Vec<Record> {
        match self.tree.state(slot) {
            State::Current(time) => self.said(slot, time).map_or_else(Vec::new, Said::records),
            State::SupersededOnly(time) => {
                let mut records = self.said(slot, time).map_or_else(Vec::new, Said::records);
                mark_superseded(&mut records);
                records
            }
            State::Absent | State::Deleted => Vec::new(),
        }
    }

    /// Versions of a slot that are not deleted.
    fn kept(&self, slot: &Slot) -> Vec<&Said> {
        let versions = self.tree.versions(slot);
        let times: BTreeSet<Moment> = versions.iter().map(|(time, ..)| *time).collect();
        let alive = |time: &Moment| {
            let flags = versions.iter().filter(|(of, ..)| of == time);
            current(flags.map(|(time, flag, _)| (*time, *flag))) != State::Deleted
        };
        let alive = times.iter().filter(|time| alive(time));
        alive.filter_map(|time| self.said(slot, *time)).collect()
    }

    /// Diagnoses of superseded lists that the list in force has no more.
    fn absent_problems(&self, slot: &Slot, known: &[Record]) -> Vec<Record> {
        if !matches!(self.tree.state(slot), State::Current(_)) {
            return Vec::new();
        }
        let id = |record: &Record| record.value.get("identifier").cloned();
        let mut seen: Vec<_> = known.iter().map(id).collect();
        let mut absent = Vec::new();
        for mut record in self.kept(slot).into_iter().rev().flat_map(Said::records) {
            if !seen.contains(&id(&record)) {
                seen.push(id(&record));
                mark(&mut record.value, "clinicalStatus", json!("inactive"));
                mark(&mut record.value, "absentFromLatest", json!(true));
                absent.push(record);
            }
        }
        absent
    }

    fn said(&self, slot: &Slot, time: Moment) -> Option<&Said> {
        let mut said = self.said.range(slot.version(time, "")..);
        let (version, said) = said.next()?;
        (version.slot == *slot && version.time == time).then_some(said)
    }

    /// The demographics in force, else the last superseded ones.
    fn patient(&self) -> Value {
        let slots = self.tree.slots();
        let Some(slot) = slots.into_iter().find(|slot| slot.kind == Kind::Adt00) else {
            return Value::Null;
        };
        let state = self.tree.state(slot);
        let (State::Current(time) | State::SupersededOnly(time)) = state else {
            return Value::Null;
        };
        let Some(Message::Demographics(demographics)) =
            self.said(slot, time).map(|said| &said.message)
        else {
            return Value::Null;
        };
        let mut patient = demographics.patient();
        if matches!(state, State::SupersededOnly(_)) {
            mark(&mut patient, "tag", json!("superseded-only"));
        }
        patient
    }

    /// Files in force with something to notice about them.
    fn findings(&self, withheld: bool) -> Value {
        let mut paths = BTreeMap::new();
        for (entry, _) in self.tree.files() {
            if entry.flag != Flag::Current {
                continue;
            }
            let Some(said) = self.said.get(&entry.version) else {
                continue;
            };
            if said.withheld == withheld && !said.findings.is_empty() {
                paths.insert(path(&entry.version), json!(said.findings));
            }
        }
        paths
            .into_iter()
            .map(|(path, findings)| json!({"path": path, "findings": findings}))
            .collect()
    }

    fn deleted(&self) -> Value {
        let slots = self.tree.slots().into_iter();
        slots
            .filter(|slot| self.tree.state(slot) == State::Deleted)
            .map(|slot| json!(slot.to_string()))
            .collect()
    }
}

fn path(version: &Version) -> String {
    version.path(Flag::Current)
}

fn mark_superseded(records: &mut [Record]) {
    for record in records {
        mark(&mut record.value, "tag", json!("superseded-only"));
    }
}

fn mark(value: &mut Value, key: &str, what: Value) {
    if let Some(fields) = value.as_object_mut() {
        fields.insert(key.to_owned(), what);
    }
}

/// An allergy of an order counts only when neither demographics nor the list has it.
fn without_repeated_snapshots(allergies: &mut Vec<Value>) {
    let key = |allergy: &Value| {
        (
            allergy.get("categoryText").cloned(),
            allergy.get("code").cloned(),
        )
    };
    let of_order = |allergy: &Value| allergy.get("source") == Some(&json!("order"));
    let kept = allergies.iter().filter(|allergy| !of_order(allergy));
    let known: Vec<_> = kept.map(key).collect();
    allergies.retain(|allergy| !of_order(allergy) || !known.contains(&key(allergy)));
}
