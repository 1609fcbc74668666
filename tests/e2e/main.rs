//! Stories from end to end: the real program as a process, real storages, both databases.

mod support;

mod reads;
