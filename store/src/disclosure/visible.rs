//! The decision as SQL: the one condition that every query of the door carries.
//!
//! `updated!` is the moment at which a record `r` became news to the reader, and null when the reader
//! may not see it: there is no grant that joins reader `$2`, source, category (within the profession's
//! mask `$3`), sensitivity, validity at `$4` and window. `consent::decide` says the same for one
//! record; a property test holds the two together on both databases.

/// The later of record `r`'s acceptance and of the first grant that opens it to reader `$2` with
/// profession mask `$3` at time `$4`; null when none does. The grants are all rows of
/// `office.effective_grant`, or a selection of them that leaves out no grant of patient and reader.
macro_rules! updated {
    ($grants:literal) => {
        concat!(
            "(select min(case when g.since > r.accepted_at then g.since else r.accepted_at end) from ",
            $grants,
            " g where g.patient = r.patient and g.reader = $2 and g.source = r.facility \
             and (g.categories & r.category & $3) <> 0 and g.sensitivity_max >= r.sensitivity \
             and g.valid_from <= $4 and g.valid_to > $4 \
             and r.occurred_from >= g.window_from and r.occurred_from < g.window_to)"
        )
    };
}
pub(super) use updated;
