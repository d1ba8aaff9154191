-- When a client was last given a token, to the hour; beside its row, so that nobody waits for it.
CREATE TABLE auth.client_use (
    client_id text        CONSTRAINT pk_client_use PRIMARY KEY,
    last_used timestamptz NOT NULL
);

-- A client's own rotation: the API's login changes the keys of a client in force, and nothing else of
-- it, and only where the statement that asks for it is new. False: it was used before, the client has
-- ended, or its keys are no more those that were read.
CREATE FUNCTION auth.rotate_keys(client text, known jsonb, next jsonb, mark bytea, keep timestamptz)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO disclosure.used_proof (kind, holder, jti, expires)
    SELECT 'assertion', client, mark, keep WHERE keep > clock_timestamp()
    ON CONFLICT ON CONSTRAINT pk_used_proof DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE auth.client c SET jwks = next
    WHERE c.client_id = client AND c.jwks = known AND c.revoked_at IS NULL
        AND c.auth_method = 'private_key_jwt'
        AND (c.expires_at IS NULL OR c.expires_at > clock_timestamp());
    RETURN FOUND;
END
$$;
REVOKE EXECUTE ON FUNCTION auth.rotate_keys FROM PUBLIC;
