-- Signed checkpoints are chained, so that whoever takes one out, or changes when it was signed, leaves
-- a link that does not hold (`dtsen audit verify --database`).

ALTER TABLE audit.checkpoint ADD COLUMN chain bytea;

-- chain = SHA-256(the chain of the checkpoint signed before, if any || note || signed_at in
-- microseconds since 1970, decimal)
CREATE FUNCTION audit.chained(before bytea, note bytea, signed_at timestamptz) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN sha256(coalesce(before, ''::bytea) || note
    || convert_to((extract(epoch FROM signed_at) * 1000000)::bigint::text, 'UTF8'));

DO $$
DECLARE
    one    record;
    linked bytea;
    year   integer;
BEGIN
    ALTER TABLE ONLY audit.checkpoint DISABLE TRIGGER only_grows;
    FOR one IN SELECT c.year, c.size, c.note, c.signed_at FROM audit.checkpoint c ORDER BY c.year, c.size
    LOOP
        linked := audit.chained(CASE WHEN one.year = year THEN linked END, one.note, one.signed_at);
        year := one.year;
        UPDATE audit.checkpoint c SET chain = linked WHERE (c.year, c.size) = (one.year, one.size);
    END LOOP;
    ALTER TABLE ONLY audit.checkpoint ENABLE ALWAYS TRIGGER only_grows;
END
$$;
ALTER TABLE audit.checkpoint ALTER COLUMN chain SET NOT NULL;
ALTER TABLE audit.checkpoint ADD CONSTRAINT ck_checkpoint_chain CHECK (length(chain) = 32);

CREATE FUNCTION audit.chain_checkpoint() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.chain := audit.chained(
        (SELECT c.chain FROM audit.checkpoint c WHERE c.year = NEW.year ORDER BY c.size DESC LIMIT 1),
        NEW.note, NEW.signed_at);
    RETURN NEW;
END
$$;
CREATE TRIGGER chained BEFORE INSERT ON audit.checkpoint
FOR EACH ROW EXECUTE FUNCTION audit.chain_checkpoint();
ALTER TABLE audit.checkpoint ENABLE ALWAYS TRIGGER chained;

-- Functions open to nobody until deploy/grants.sql says so.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA audit FROM PUBLIC;
