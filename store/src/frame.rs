//! A frame: everything that is kept of one item, the raw bytes first, then the name under which
//! they came, then the records read from them. Compressed as one, sealed as one, found by (segment, place, length); a record inside it by
//! its ordinal. ADR 1 describes the bytes.

use std::cell::RefCell;
use std::io;

use lz4_flex::block::{compress_into, get_maximum_output_size};
use model::record::Record;

use crate::error::Error;

/// Format of frames written today.
const VERSION: u8 = 1;
/// Bytes before the compressed ones.
const HEAD: usize = 5;
/// Parts before the records: the bytes, and their name.
const BEFORE_RECORDS: usize = 2;
const TOO_LARGE: Error = Error::Conflict("the item is too large");
/// No item is larger than this (64 MiB) with all its records.
const LARGEST: usize = 192 * 1024 * 1024;
/// A thread does not hold on to more than this.
const LARGEST_SCRATCH: usize = 1024 * 1024;

/// Where a frame is put together. A thread packs thousands, each many times as large as what is left
/// of it.
#[derive(Default)]
struct Scratch {
    plain: Vec<u8>,
    packed: Vec<u8>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// A frame ready to be sealed: packed by the thread that read the item.
pub struct Packed(Vec<u8>);

impl Packed {
    /// Packs an item's bytes with the name under which they came and with its records.
    pub fn new<'a>(
        raw: &[u8],
        name: &str,
        records: impl IntoIterator<Item = &'a Record>,
    ) -> Result<Self, Error> {
        SCRATCH.with_borrow_mut(|Scratch { plain, packed }| {
            plain.clear();
            part(plain, |plain| {
                plain.extend_from_slice(raw);
                Ok(())
            })?;
            part(plain, |plain| {
                plain.extend_from_slice(name.as_bytes());
                Ok(())
            })?;
            for record in records {
                part(plain, |plain| {
                    serde_json::to_writer(plain, record)
                        .map_err(|error| Error::Other("write record", error.into()))
                })?;
            }
            let length = compress(plain, packed)?;
            let frame = packed.get(..length).unwrap_or_default().to_vec();
            if plain.len() > LARGEST_SCRATCH {
                (*plain, *packed) = (Vec::new(), Vec::new());
            }
            Ok(Self(frame))
        })
    }

    /// What was sealed before, to be sealed anew.
    pub(crate) const fn opened(plain: Vec<u8>) -> Self {
        Self(plain)
    }

    /// The records in it.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn records(&self) -> Result<Vec<Record>, Error> {
        Frame::unpack(&self.0)?.records()
    }

    /// The bytes to seal.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Writes a frame to the beginning of a buffer that is made long enough; its length.
fn compress(plain: &[u8], packed: &mut Vec<u8>) -> Result<usize, Error> {
    let size = u32::try_from(plain.len()).map_err(|_| TOO_LARGE)?;
    let most = HEAD + get_maximum_output_size(plain.len());
    if packed.len() < most {
        packed.resize(most, 0);
    }
    let (head, compressed) = packed.split_at_mut(HEAD);
    head.copy_from_slice(&head_of(size));
    let length =
        compress_into(plain, compressed).map_err(|error| Error::Other("compress", error.into()))?;
    Ok(HEAD + length)
}

/// Version and length before compression.
fn head_of(size: u32) -> [u8; HEAD] {
    let [a, b, c, d] = size.to_le_bytes();
    [VERSION, a, b, c, d]
}

/// Appends a part behind its length.
fn part(
    plain: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>,
) -> Result<(), Error> {
    let start = plain.len();
    plain.extend_from_slice(&[0; 4]);
    write(plain)?;
    let length = u32::try_from(plain.len() - start - 4).map_err(|_| TOO_LARGE)?;
    if let Some(place) = plain.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_le_bytes());
    }
    Ok(())
}

/// An opened frame.
pub(crate) struct Frame {
    plain: Vec<u8>,
    parts: Vec<(usize, usize)>,
}

impl Frame {
    /// Unpacks what [`Packed::new`] packed.
    pub(crate) fn unpack(packed: &[u8]) -> Result<Self, Error> {
        let broken = || Error::Corrupt("frame");
        let Some((&VERSION, rest)) = packed.split_first() else {
            return Err(broken());
        };
        let size = rest
            .first_chunk::<4>()
            .map(|bytes| u32::from_le_bytes(*bytes))
            .ok_or_else(broken)?;
        if usize::try_from(size).map_or(true, |size| size > LARGEST) {
            return Err(broken());
        }
        let plain = lz4_flex::decompress_size_prepended(rest).map_err(|_| broken())?;
        let mut parts = Vec::new();
        let mut at = 0;
        while at < plain.len() {
            let length = plain
                .get(at..)
                .and_then(<[u8]>::first_chunk::<4>)
                .ok_or_else(broken)?;
            let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| broken())?;
            let start = at + 4;
            at = start
                .checked_add(length)
                .filter(|end| *end <= plain.len())
                .ok_or_else(broken)?;
            parts.push((start, at));
        }
        Ok(Self { plain, parts })
    }

    fn part(&self, number: usize) -> Result<&[u8], Error> {
        let part = self
            .parts
            .get(number)
            .and_then(|(start, end)| self.plain.get(*start..*end));
        part.ok_or(Error::Corrupt("frame"))
    }

    /// The item's bytes as they came.
    pub(crate) fn raw(&self) -> Result<&[u8], Error> {
        self.part(0)
    }

    /// The name under which the bytes came.
    pub(crate) fn name(&self) -> Result<&str, Error> {
        std::str::from_utf8(self.part(1)?).map_err(|_| Error::Corrupt("frame"))
    }

    /// One record, by ordinal from 0.
    pub(crate) fn record(&self, ordinal: i64) -> Result<Record, Error> {
        let number = usize::try_from(ordinal)
            .map_err(|_| Error::Corrupt("frame"))?
            .saturating_add(BEFORE_RECORDS);
        // A text is tested once, bytes at each string in them.
        let text = std::str::from_utf8(self.part(number)?).map_err(|_| Error::Corrupt("record"))?;
        serde_json::from_str(text).map_err(|_| Error::Corrupt("record"))
    }

    /// Whether its records are just these. They are written over what is kept, not kept apart.
    pub(crate) fn holds<'a>(&self, records: impl IntoIterator<Item = &'a Record>) -> bool {
        let mut kept = self.parts.iter().skip(BEFORE_RECORDS);
        let is_next = |record: &Record| {
            let part = kept
                .next()
                .and_then(|(start, end)| self.plain.get(*start..*end));
            let mut rest = Rest(part.unwrap_or_default());
            serde_json::to_writer(&mut rest, record).is_ok() && rest.0.is_empty()
        };
        records.into_iter().all(is_next) && kept.next().is_none()
    }

    /// All records.
    pub(crate) fn records(&self) -> Result<Vec<Record>, Error> {
        (0..self.parts.len().saturating_sub(BEFORE_RECORDS))
            .map(|at| {
                i64::try_from(at)
                    .map_err(|_| Error::Corrupt("frame"))
                    .and_then(|at| self.record(at))
            })
            .collect()
    }
}

/// Bytes that are expected. What is written must be how they go on.
struct Rest<'a>(&'a [u8]);

impl io::Write for Rest<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let rest = self.0.strip_prefix(bytes);
        self.0 = rest.ok_or(io::ErrorKind::InvalidData)?;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::record::{Body, Category, Kind, Occurred, RecordMeta, Sensitivity};
    use model::time::Instant;

    fn record(key: &str) -> Record {
        let meta = RecordMeta {
            facility: "1319999901".parse().unwrap(),
            kind: Kind::AllergyIntolerance,
            category: Category::Allergy,
            sensitivity: Sensitivity::Normal,
            occurred: Occurred::undated(Instant(5)),
            source_key: key.to_owned(),
        };
        let allergy = model::allergy::Allergy {
            source: model::allergy::AllergySource::AllergyList,
            kind: None,
            code: model::code::Concept::text("スギ花粉"),
            severity: None,
            reactions: Vec::new(),
            action: None,
            identifier: None,
            reason: None,
            sensitivity: None,
            onset: None,
            onset_text: None,
            recorded: None,
            clinical: None,
            asserter: None,
            other: Vec::new(),
        };
        Record {
            meta,
            body: Body::Allergy(Box::new(allergy)),
        }
    }

    #[test]
    fn an_item_comes_back_byte_for_byte_with_its_records() {
        let records = [record("a"), record("b")];
        let packed = Packed::new(b"MSH|^~\\&|\x1b$B5\\K\\\x1b(B\r", "1/1_-", &records).unwrap();
        let frame = Frame::unpack(packed.bytes()).unwrap();
        assert_eq!(frame.raw().unwrap(), b"MSH|^~\\&|\x1b$B5\\K\\\x1b(B\r");
        assert_eq!(frame.name().unwrap(), "1/1_-");
        assert!(frame.records().unwrap() == records);
        assert!(frame.record(1).unwrap() == records[1]);
        assert!(frame.record(2).is_err());
    }

    #[test]
    fn it_holds_its_own_records_in_their_order_and_no_others() {
        let records = [record("a"), record("b")];
        let packed = Packed::new(b"MSH", "1/1_-", &records).unwrap();
        let frame = Frame::unpack(packed.bytes()).unwrap();
        assert!(frame.holds(&records));
        assert!(!frame.holds(&records[..1]) && !frame.holds([]));
        assert!(!frame.holds([&records[1], &records[0]]));
        assert!(!frame.holds([&records[0], &record("bb")]));
        assert!(!frame.holds([&records[0], &records[1], &records[1]]));
        let bare = Packed::new(b"MSH", "1/1_-", []).unwrap();
        assert!(Frame::unpack(bare.bytes()).unwrap().holds([]));
    }

    #[test]
    fn a_bent_frame_is_an_error_and_no_panic() {
        let packed = Packed::new(&[b'x'; 300], "x", &[record("a")]).unwrap();
        for at in 0..packed.bytes().len() {
            for bit in [1, 0x80] {
                let mut bent = packed.bytes().to_vec();
                bent[at] ^= bit;
                if let Ok(frame) = Frame::unpack(&bent) {
                    let _ = (frame.raw(), frame.name(), frame.records());
                }
            }
        }
        assert!(Frame::unpack(&[1, 0xff, 0xff, 0xff, 0x7f]).is_err());
    }
}
