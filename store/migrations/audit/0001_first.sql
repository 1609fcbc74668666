-- The audit: one chain per writer, append only.

create table event (
    writer bigint not null,
    seq bigint not null,
    previous bytea not null,
    leaf bytea not null,
    content bytea not null,            -- canonical bytes of the row
    at bigint not null,
    patient bigint not null,           -- 0 when the row concerns none
    person bigint not null,            -- 0 for the machine
    primary key (writer, seq)
);
create index event_patient on event (patient, at);

create table head (
    writer bigint not null primary key,
    seq bigint not null,
    leaf bytea not null,
    signature bytea not null
);

-- Derived from the rows: who looked last.
create table last_view (
    patient bigint not null,
    person bigint not null,            -- 0: anybody
    at bigint not null,
    primary key (patient, person)
);
