-- Whose errands or erasing failed at the last try, for status.
create table failing (
    patient bigint not null primary key,
    since bigint not null              -- when it failed first
);
