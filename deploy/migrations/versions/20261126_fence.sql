-- A promoted standby and a restored backup begin a new timeline, and may lack the last marks of used
-- proofs. So each timeline has a fence: what may have been used up before it serves no more.
CREATE TABLE disclosure.timeline (
    id    text        CONSTRAINT pk_timeline PRIMARY KEY,
    fence timestamptz NOT NULL
);

-- Null on a standby.
CREATE FUNCTION disclosure.current_timeline() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END;

-- The fence of the present timeline; null, which lets nothing through, until it is set.
CREATE FUNCTION disclosure.fence() RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.fence FROM disclosure.timeline t WHERE t.id = disclosure.current_timeline();
END;
REVOKE EXECUTE ON FUNCTION disclosure.fence FROM PUBLIC;

-- Sets the fence of the present timeline, once. The clock of the primary that went may have been ahead
-- of this one by five seconds.
CREATE FUNCTION disclosure.set_fence() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO disclosure.timeline (id, fence)
    VALUES (disclosure.current_timeline(), clock_timestamp() + interval '5 s')
    ON CONFLICT ON CONSTRAINT pk_timeline DO NOTHING;
END;
REVOKE EXECUTE ON FUNCTION disclosure.set_fence FROM PUBLIC;

-- On this one nothing was lost.
INSERT INTO disclosure.timeline (id, fence) VALUES (disclosure.current_timeline(), 'epoch');

-- As before, and behind the fence: `unused` is when the statement was surely not used yet.
DROP FUNCTION auth.rotate_keys;
CREATE FUNCTION auth.rotate_keys(
    client text, known jsonb, next jsonb, mark bytea, keep timestamptz, unused timestamptz
)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO disclosure.used_proof (kind, holder, jti, expires)
    SELECT 'assertion', client, mark, keep
    WHERE keep > clock_timestamp() AND unused >= disclosure.fence()
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
