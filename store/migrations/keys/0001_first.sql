-- Wrapped keys. Nothing else stands in this database, so that it can have a backup life of its own.

create table master_check (
    id bigint not null primary key,
    sealed bytea not null              -- a known text under the master key
);

create table patient_key (
    patient bigint not null,
    generation bigint not null,
    wrapped bytea not null,
    created_at bigint not null,
    primary key (patient, generation)
);

-- Copies of the audit chains' signed heads, so that a cut tail is found.
create table audit_head (
    writer bigint not null primary key,
    seq bigint not null,
    head bytea not null,
    signature bytea not null
);
