-- Whom a proposed restriction is about, while it waits: what is signed has a digest of both alone.
CREATE TABLE disclosure.restriction_waiting (
    act  uuid  CONSTRAINT pk_restriction_waiting PRIMARY KEY,
    nik  text  NOT NULL,
    salt bytea NOT NULL
);
