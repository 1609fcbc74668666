-- Wrapped keys of messages in quarantine, one per feed and day, so that a day can be forgotten.
create table quarantine_key (
    feed text not null,
    day bigint not null,               -- its first moment
    wrapped bytea not null,
    created_at bigint not null,
    primary key (feed, day)
);
