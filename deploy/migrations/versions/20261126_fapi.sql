-- Tokens revoked before they expire (RFC 7009).

-- `epoch` is null while a revocation is asked for and not yet in force.
CREATE TABLE disclosure.revoked_token (
    jti     text        CONSTRAINT pk_revoked_token PRIMARY KEY,
    client  text        NOT NULL,
    expires timestamptz NOT NULL,
    epoch   bigint
);
CREATE INDEX ix_revoked_token_waiting ON disclosure.revoked_token (client) WHERE epoch IS NULL;
CREATE INDEX ix_revoked_token_expires ON disclosure.revoked_token (expires);

CREATE TABLE disclosure.revocation_round (
    "only"  boolean     CONSTRAINT pk_revocation_round PRIMARY KEY DEFAULT true,
    held_at timestamptz NOT NULL DEFAULT 'epoch',
    CONSTRAINT ck_revocation_round_only CHECK ("only")
);
INSERT INTO disclosure.revocation_round DEFAULT VALUES;

-- Puts in force whatever waits, of all workers together, in one round under the lock of authority:
-- at most four rounds a second, however many ask. A revoked token's client gets a new epoch, which
-- every recording statement checks already: so no statement pays for tokens of others.
-- Returns the seconds after which to ask again, 0 once nothing waits any more.
CREATE FUNCTION disclosure.revoke_waiting_tokens() RETURNS double precision
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s'
AS $$
DECLARE
    pause  CONSTANT double precision := 0.25;
    passed double precision;
    drawn  bigint;
BEGIN
    SELECT extract(epoch FROM clock_timestamp() - held_at) INTO passed
    FROM disclosure.revocation_round FOR UPDATE;
    IF NOT EXISTS (SELECT FROM disclosure.revoked_token WHERE epoch IS NULL) THEN
        RETURN 0;
    END IF;
    IF passed >= 0 AND passed < pause THEN
        RETURN pause - passed;
    END IF;
    LOCK TABLE disclosure.authority IN ACCESS EXCLUSIVE MODE;
    drawn := nextval('disclosure.epoch');
    WITH revoked AS (
        UPDATE disclosure.revoked_token t SET epoch = drawn WHERE t.epoch IS NULL RETURNING t.client
    )
    UPDATE disclosure.authority a SET epoch = drawn
    WHERE a.kind = 'client' AND a.name IN (SELECT r.client FROM revoked r);
    UPDATE disclosure.revocation_round SET held_at = clock_timestamp();
    RETURN 0;
END
$$;

REVOKE EXECUTE ON FUNCTION disclosure.revoke_waiting_tokens FROM PUBLIC;
