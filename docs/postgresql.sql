-- Roles and schemas for Musubi on PostgreSQL 15: each of the four databases of the program is a
-- schema that one role owns and no other role sees. Run it as a superuser before the first start,
-- and once more when the first start has made the tables; running it again changes nothing:
--
--   psql -v ON_ERROR_STOP=1 -f docs/postgresql.sql postgres
--   musubi status
--   psql -v ON_ERROR_STOP=1 -f docs/postgresql.sql postgres
--
-- `-v database=NAME` names another database than musubi.

\if :{?database}
\else
\set database musubi
\endif

select format('create role %I login', role)
from unnest(array['musubi_records', 'musubi_office', 'musubi_audit', 'musubi_keys']) as role
where role not in (select rolname from pg_roles) \gexec

select format('create database %I template template0 encoding ''UTF8'' locale ''C''', :'database')
where :'database' not in (select datname from pg_database) \gexec

\connect :"database"

revoke all on database :"database" from public;
grant connect on database :"database" to musubi_records, musubi_office, musubi_audit, musubi_keys;

create schema if not exists records authorization musubi_records;
create schema if not exists office authorization musubi_office;
create schema if not exists audit authorization musubi_audit;
create schema if not exists keys authorization musubi_keys;

-- Every read joins who is a patient and who was granted what. Nothing else of the papers is shown.
grant usage on schema office to musubi_records;
select 'grant select on office.patient, office.effective_grant to musubi_records'
where to_regclass('office.effective_grant') is not null \gexec
