-- Segments of an object store. A small batch waits as a row until a job packs it with others; its
-- number is negative, so that the two indexes hold what waits and nothing else.
create table small_segment (
    number bigint not null primary key,
    bytes bytea not null,              -- sealed frames, one behind the other
    waits_since bigint not null
);
--postgres alter table small_segment alter column bytes set storage external;
create index item_small on item (segment) where segment < 0;
create index record_small on record (segment) where segment < 0;

-- Segments that the last row has left: nobody can set the time of an object.
create table segment_left (
    number bigint not null primary key,
    left_at bigint not null
);
