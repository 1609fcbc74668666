//! Reading a storage's files: each is fetched, then read as whatever else is of the patient.

use normalize::ssmix::data_type::DataKind;
use normalize::ssmix::path::{FileName, Flag};
use store::{Item, Outcome};

use super::Tree;
use super::tree::{self, Found};
use crate::patient::read::{Job, ReadFile, Reader, flag_number, slot_kind};

impl Tree {
    /// Reads files, many at once, in their order. A file that vanished meanwhile, or cannot be opened,
    /// is left out: the next sweep tries again.
    pub(super) async fn read(&self, reader: &Reader, files: Vec<Found>) -> Vec<ReadFile> {
        let most = self.most;
        let fetched = tokio::task::spawn_blocking(move || {
            let fetch = |file: Found| {
                let content = tree::read(&file.path, most).ok()?;
                Some((file, content))
            };
            files.into_iter().filter_map(fetch).collect::<Vec<_>>()
        });
        let Ok(fetched) = fetched.await else {
            return Vec::new();
        };
        let with_content = |reader: &Reader, (file, content)| Some((job(reader, file)?, content));
        reader.read(fetched, with_content).await
    }
}

fn job(reader: &Reader, file: Found) -> Option<Job> {
    let number = reader.numbers.get(file.number)?;
    let facility = &reader.feed.facility;
    let slot_kind = slot_kind(&file.name);
    let item = Item::new(
        reader
            .intake
            .slot_digest(facility, &file.name.slot(&number.id)),
        number.digest,
        reader
            .intake
            .path_digest(facility, file.root, &file.version_path),
        slot_kind.number(),
        flag_number(file.name.flag),
        file.name.instant(),
        reader
            .intake
            .content_digest(file.name.department.as_deref().unwrap_or("-").as_bytes()),
        0,
        file.size,
        file.modified,
        Outcome::Withheld,
    );
    Some(Job {
        name: file.name,
        text: file.version_path,
        number: file.number,
        item,
    })
}

/// The newest of the files that are the facility's own demographics, else the newest file.
pub(super) fn first_to_read(files: &[Found]) -> Option<usize> {
    let newest = |kind: fn(&FileName) -> bool| {
        let candidates = files
            .iter()
            .enumerate()
            .filter(move |(_, file)| kind(&file.name) && file.name.flag != Flag::Deleted);
        candidates
            .max_by_key(|(_, file)| (file.name.flag, file.name.instant()))
            .map(|(index, _)| index)
    };
    newest(|name| name.kind == DataKind::Adt00).or_else(|| newest(|_| true))
}
