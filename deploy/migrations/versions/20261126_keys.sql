-- Requests sent with an Idempotency-Key, by keyed digests of key and request: what of them is paid.
-- Never UNLOGGED: a crash would forget what was paid, or that a key is taken.
CREATE TABLE disclosure.repeat (
    client  text        NOT NULL,
    key     bytea       NOT NULL,
    request bytea       NOT NULL,
    paid    bigint      NOT NULL,
    expires timestamptz NOT NULL,
    CONSTRAINT pk_repeat PRIMARY KEY (client, key),
    CONSTRAINT ck_repeat_paid CHECK (paid >= 0)
);
CREATE INDEX ix_repeat_expires ON disclosure.repeat (expires);
