//! Where each character of decoded text stood in the original bytes.

/// A stretch of text whose characters all took the same number of original bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// First byte in the decoded text.
    pub(super) text: u32,
    /// First byte in the original.
    pub(super) raw: u32,
    /// Original bytes of a character; 0 when they are the same as in UTF-8.
    pub(super) width: u32,
}

/// Byte positions are kept in 32 bits: an item of 4 GiB is refused long before it is decoded.
pub(crate) fn offset(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// The original position of a position in the decoded text.
pub(super) fn raw(runs: &[Run], text: &str, position: usize) -> u32 {
    let position = offset(position);
    let index = runs.partition_point(|run| run.text <= position);
    let Some(run) = index.checked_sub(1).and_then(|before| runs.get(before)) else {
        return position;
    };
    if run.width == 0 {
        return run.raw.saturating_add(position - run.text);
    }
    let passed = text
        .get(run.text as usize..position as usize)
        .map_or(0, |part| part.chars().count());
    run.raw
        .saturating_add(offset(passed).saturating_mul(run.width))
}
