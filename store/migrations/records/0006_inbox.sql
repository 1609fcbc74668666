-- A message that a sender pushed and that was acknowledged: its bytes, sealed, until a batch has
-- accepted it and writes its frame. Rows are long and go as they came: on SQLite they stay out of the key's
-- own pages, where each would take another page for its end.
create table inbox (
    feed text not null,
    arrival bigint not null,           -- ascending in the order of arrival; no two of a feed are the same
    patient bigint not null,
    facility bigint not null,
    number bigint not null,            -- keyed digest of the patient's number
    control bigint not null,           -- keyed digest of the control id (MSH-10)
    content bigint not null,           -- keyed digest of the bytes
    received_at bigint not null,
    size bigint not null,              -- of the message, in bytes
    held bigint not null default -1,   -- state of the papers under which it must wait on; -1: none
    sealed bytea not null,             -- a frame without records, under the patient's key
    primary key (feed, arrival)
);
create index inbox_patient on inbox (patient);
