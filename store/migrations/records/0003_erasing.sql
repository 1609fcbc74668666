-- What an erasing took so far. Written where it is taken, and forgotten when the erasing is done, so
-- that the deletion record tells everything though the process died in between.
create table erasing (
    patient bigint not null,
    what text not null,                -- a table of this database, or `key`
    number bigint not null,            -- facility whose rows went (0: any); generation of the key
    count bigint not null,             -- rows; of a key 0: it goes, and is gone when no database has it
    primary key (patient, what, number)
);
