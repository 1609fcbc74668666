-- Papers and people. Names, local ids and whole papers are sealed under the office key; local ids
-- are found by blind token.

create table basis (
    id bigint not null primary key,    -- 1: grants follow from it, 2: they are being brought in line
    network_hash bytea not null        -- profile and facilities
);

create table patient (
    number bigint not null primary key,
    public_id bytea not null unique,
    created_at bigint not null,
    epoch bigint not null
);

create table consent (
    consent_no text not null primary key,
    patient bigint not null,
    state bigint not null,             -- 1 signed, 2 active, 3 withdrawn, 4 erased, 5 expired
    active_since bigint not null,
    withdrawn_at bigint not null,
    erase_at bigint not null,          -- 0: not to be erased
    digest bytea not null              -- of the paper; the same paper again is no change
);
create index consent_patient on consent (patient);

-- Immutable: every paper that was ever entered, with the operator who did.
create table consent_version (
    consent_no text not null,
    version bigint not null,
    at bigint not null,
    operator bigint not null,
    sealed bytea not null,
    primary key (consent_no, version)
);

create table link (
    patient bigint not null,
    facility bigint not null,
    token bigint not null,             -- blind token of the local id
    sealed bytea not null,             -- the local id
    state bigint not null,             -- 0 unproved, 1 proved, 2 disagrees
    wanted_from bigint not null,       -- when feeds may read this patient here, because an active
    wanted_to bigint not null,         -- consent names the id and covers the facility; 0 and 0: never
    primary key (patient, facility, token)
);
create index link_token on link (token);

-- Tokens of each demographics version of a proved link, so that later items are tested blind.
create table link_evidence (
    patient bigint not null,
    facility bigint not null,
    link_token bigint not null,
    version bigint not null,
    birth_date bigint not null,        -- blind tokens; 0: absent
    sex bigint not null,
    kana bigint not null,
    kanji bigint not null,
    given_kana bigint not null,        -- of the given name alone, where it is told apart
    given_kanji bigint not null,
    primary key (patient, facility, link_token, version)
);

create table effective_grant (
    patient bigint not null,
    reader bigint not null,
    source bigint not null,
    ordinal bigint not null,
    categories bigint not null,
    sensitivity_max bigint not null,
    valid_from bigint not null,
    valid_to bigint not null,
    window_from bigint not null,
    window_to bigint not null,
    since bigint not null,             -- when the grant came into being
    primary key (patient, reader, source, ordinal)
);

-- What must follow from a paper, in order; done rows are deleted.
create table outbox (
    id bigint not null primary key,
    patient bigint not null,
    kind bigint not null,              -- 1 introduce, 2 back-fill, 3 erase, 4 audit, 5 follow
    facility bigint not null,
    due_at bigint not null,
    sealed bytea not null
);

-- What a person must look at.
create table task (
    id bigint not null primary key,
    at bigint not null,
    kind text not null,
    patient bigint not null,           -- 0: about none
    facility bigint not null,          -- 0: about none
    person bigint not null,            -- whose account; 0: nobody's
    state bigint not null              -- 0 open, 1 closed
);

create table person (
    id bigint not null primary key,
    login text not null unique,
    sealed bytea not null,             -- display name
    profession text not null,
    facility bigint not null,
    state bigint not null,             -- 1 active, 0 disabled
    created_at bigint not null
);

create table credential (
    person bigint not null,
    kind bigint not null,              -- 1 password, 2 TOTP
    sealed bytea not null,
    used_step bigint not null,         -- last TOTP step that was used
    changed_at bigint not null,
    primary key (person, kind)
);

create table throttle (
    subject bigint not null,           -- blind token of an account name or an address
    kind bigint not null,              -- 1 password, 2 TOTP, 3 address
    failures bigint not null,
    window_start bigint not null,
    day_failures bigint not null,
    day_start bigint not null,
    blocked_until bigint not null,
    primary key (subject, kind)
);

create table session (
    digest bytea not null primary key, -- of the cookie
    person bigint not null,
    factors bigint not null,           -- verified so far: 1 password, 2 TOTP
    created_at bigint not null,
    seen_at bigint not null
);
create index session_person on session (person);

create table token (
    digest bytea not null primary key,
    person bigint not null,
    factors bigint not null,           -- verified when it was made
    created_at bigint not null,
    expires_at bigint not null
);
create index token_person on token (person);
