-- Clinical records and what feeds them. Every table begins with the patient number.
-- Numbers only: names, values and texts are sealed in frames.

create table patient (
    number bigint not null primary key,
    public_id bytea not null,
    joins bigint not null              -- counts changes of the set that joins read; survives an erasing,
                                       -- so that nobody goes on from what was read before it
);

-- One file of a source: what it is, where it stands, where its bytes are kept.
create table item (
    patient bigint not null,
    slot bigint not null,              -- keyed digest of facility, number, date, kind, order number
    path bigint not null,              -- keyed digest of root and path without the flag
    facility bigint not null,
    kind bigint not null,              -- data kind
    flag bigint not null,              -- 1 current, 2 superseded, 0 deleted, 3 vanished
    version bigint not null,           -- time the source gave the version, microseconds
    department bigint not null,        -- keyed digest of the department in the file name; of a pushed item its arrival
    content bigint not null,           -- keyed digest of the bytes
    size bigint not null,
    modified bigint not null,          -- at the source; of a pushed item the digest of its control id
    event_at bigint not null,          -- time of the event; the least number when none
    cancels bigint not null,
    outcome bigint not null,           -- 1 published, 2 kept only, 3 withheld
    origin bigint not null,            -- 1 lies in a storage, 2 was pushed
    number bigint not null,            -- keyed digest of the patient's number; a slot has one number
    segment bigint not null,
    frame_at bigint not null,
    frame_length bigint not null,
    primary key (patient, slot, path)
)
--sqlite  without rowid
;

-- By what a message that is pushed finds what bears on it.
create index item_stored on item (patient, content) where origin = 1;
create index item_named on item (patient, modified) where origin = 2;
create index item_withheld on item (patient) where outcome = 3;
create index item_demographics on item (patient) where kind in (2, 3); -- ADT-00

-- What is shown of a slot.
create table slot (
    patient bigint not null,
    slot bigint not null,
    facility bigint not null,
    state bigint not null,             -- 1 current, 2 superseded only, 0 deleted, 3 cancelled
    joins bigint not null,             -- bit 1: encounter events, bit 2: allergy statements
    published bytea not null,          -- paths whose records are shown
    keys bytea not null,               -- keys of the records that are shown
    primary key (patient, slot)
)
--sqlite  without rowid
;

create index slot_joins on slot (patient) where joins <> 0;

create table record (
    patient bigint not null,
    category bigint not null,
    occurred_from bigint not null,
    key bigint not null,
    occurred_to bigint not null,
    kind bigint not null,
    facility bigint not null,
    sensitivity bigint not null,
    facets bigint not null,
    code1 bigint not null,
    code2 bigint not null,
    code3 bigint not null,
    code4 bigint not null,
    state bigint not null,             -- 1 current, 2 superseded only, 3 absent from the latest list
    version bigint not null,
    accepted_at bigint not null,
    source bigint not null,            -- slot it came from; when joined digest of the patient's number
    segment bigint not null,           -- 0 when joined
    frame_at bigint not null,
    frame_length bigint not null,
    ordinal bigint not null,
    body bytea,                        -- sealed body of a joined record
    primary key (patient, category, occurred_from, key)
)
--sqlite  without rowid
;
create unique index record_key on record (patient, key);

-- Blind tokens that find a patient.
create table search_token (
    token bigint not null,
    patient bigint not null,
    facility bigint not null,
    number bigint not null,            -- digest of the number under which the facility said it
    primary key (token, patient, facility, number)
)
--sqlite  without rowid
;
create index search_token_patient on search_token (patient, facility);

create table finding (
    patient bigint not null,
    slot bigint not null,
    path bigint not null,
    ordinal bigint not null,
    rule text not null,
    severity bigint not null,
    effect bigint not null,
    segment text not null,
    segment_ordinal bigint not null,
    field bigint not null,
    repetition bigint not null,
    component bigint not null,
    start_byte bigint not null,
    end_byte bigint not null,
    primary key (patient, slot, path, ordinal)
)
--sqlite  without rowid
;

-- Work that follows from papers: back-fill and erase.
create table job (
    patient bigint not null,
    kind bigint not null,              -- 1 back-fill, 2 erase
    facility bigint not null,          -- 0: all facilities
    due_at bigint not null,
    primary key (patient, kind, facility, due_at)
);

-- What a feed's last sweep saw, for status and for pausing mass changes.
create table feed_state (
    feed text not null primary key,
    swept_at bigint not null,
    items bigint not null,
    withheld bigint not null,
    up bigint not null,
    paused_since bigint not null       -- 0: not paused; -1: a person lets losses pass once
);
