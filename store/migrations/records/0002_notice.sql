-- What the last sweep of a feed noticed about files and folders that could not be kept.
create table notice (
    feed text not null,
    rule text not null,
    count bigint not null,
    noticed_at bigint not null,
    primary key (feed, rule)
);
