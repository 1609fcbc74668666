-- Who does what only one process may do at a time: a feed, errands, a daily duty.
create table lease (
    name text not null primary key,
    holder bigint not null,            -- random number of a process; 0: nobody
    beat bigint not null               -- goes on while the holder lives
);
