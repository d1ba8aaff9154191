-- The four logins of DTSEN and their database, for psql as a superuser; safe to repeat.
--
--   psql -v owner_password=... -v api_password=... -v sequencer_password=... \
--        -v auditor_password=... -f roles.sql
--
-- A variable may hold a SCRAM verifier ('SCRAM-SHA-256$...') instead of a password, so that the
-- password itself reaches no statement. Better than on a command line, which others on the machine
-- can read, the variables stand as \set lines before \i roles.sql on standard input; so does the
-- embedded server (dtsen/embedded), which runs this very file.
--
-- No login is a member of another. What each may do in the tables is in grants.sql.
\set ON_ERROR_STOP on
\set VERBOSITY terse

SELECT format('CREATE ROLE %I', name)
  FROM unnest(ARRAY['dtsen_owner', 'dtsen_api', 'dtsen_sequencer', 'dtsen_auditor']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE dtsen_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
  PASSWORD :'owner_password';
ALTER ROLE dtsen_api LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
  PASSWORD :'api_password';
ALTER ROLE dtsen_sequencer LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
  PASSWORD :'sequencer_password';
ALTER ROLE dtsen_auditor LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
  PASSWORD :'auditor_password';

-- A membership would hand one login the rights of another, whoever granted it and whatever for.
SELECT format('REVOKE %I FROM %I GRANTED BY %I', granted.rolname, member.rolname, grantor.rolname)
  FROM pg_auth_members
  JOIN pg_roles AS granted ON granted.oid = roleid
  JOIN pg_roles AS member ON member.oid = pg_auth_members.member
  JOIN pg_roles AS grantor ON grantor.oid = pg_auth_members.grantor
 WHERE member.rolname IN ('dtsen_owner', 'dtsen_api', 'dtsen_sequencer', 'dtsen_auditor') \gexec

-- Bytes, not a language, order the text: the same on every server and after every upgrade.
SELECT 'CREATE DATABASE dtsen OWNER dtsen_owner TEMPLATE template0 ENCODING ''UTF8'' LOCALE ''C'''
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'dtsen') \gexec

REVOKE ALL ON DATABASE dtsen FROM PUBLIC, dtsen_api, dtsen_sequencer, dtsen_auditor;
GRANT CONNECT ON DATABASE dtsen TO dtsen_api, dtsen_sequencer, dtsen_auditor;

\connect dtsen
REVOKE ALL ON SCHEMA public FROM PUBLIC;
-- A function of the owner's, above all one that runs with the owner's rights, is for whom it names.
ALTER DEFAULT PRIVILEGES FOR ROLE dtsen_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
