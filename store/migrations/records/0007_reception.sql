-- What senders push, besides the inbox. Nothing here belongs to a patient.

-- The last arrival number that a feed used: numbers ascend over restarts, processes and clocks.
create table reception (
    feed text not null primary key,
    arrival bigint not null
);

-- How many messages came, by what became of them. It is all that is left of one that was not kept.
create table reception_count (
    feed text not null,
    day bigint not null,               -- its first moment
    fate bigint not null,              -- 1 kept, 2 not on file, 3 quarantined, 4 refused
    kind text not null,                -- message type and event, or `other`; of refused ones the rule
    count bigint not null,
    primary key (feed, day, fate, kind)
);

-- A message that nobody can say whose it is. It says nothing in the clear about a patient, and its key
-- goes with its day.
create table quarantine (
    feed text not null,
    arrival bigint not null,
    day bigint not null,               -- whose key it is sealed under
    rule text not null,                -- why it is here; with the kind its fingerprint
    kind text not null,                -- message type and event, or `other`
    answer text not null,              -- what the sender was told (MSA-1)
    feed_hash bytea not null,          -- the feed file that was in force
    control bigint not null,           -- keyed digest of the control id (MSH-10); 0: none
    content bigint not null,           -- keyed digest of the bytes
    received_at bigint not null,
    size bigint not null,              -- of the message, in bytes
    sealed bytea not null,
    primary key (feed, arrival)
);
create index quarantine_day on quarantine (day);
