-- How each version of an agreement came to be, and what its plans were; why a person is restricted.

-- `statement`: canonical JSON that was signed; `signatures`: [{"name", "signature" (hexadecimal)}], two
-- of a version that opens more, one of a narrowing. `base`: the version that it took the place of.
ALTER TABLE disclosure.agreement
    ADD COLUMN base integer,
    ADD COLUMN statement bytea,
    ADD COLUMN signatures jsonb,
    ADD COLUMN act uuid,
    ADD CONSTRAINT ck_agreement_signed CHECK (num_nulls(statement, signatures) IN (0, 2));

-- A version is kept as it was applied: only whether it is in force changes.
CREATE FUNCTION disclosure.keep_agreement() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF tg_op <> 'UPDATE' THEN
        RAISE EXCEPTION 'versions of agreements are kept' USING ERRCODE = 'check_violation';
    END IF;
    IF (to_jsonb(old) - 'state') IS DISTINCT FROM (to_jsonb(new) - 'state') THEN
        RAISE EXCEPTION 'a version of an agreement cannot be changed' USING ERRCODE = 'check_violation';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER keep_agreement BEFORE UPDATE OR DELETE ON disclosure.agreement
    FOR EACH ROW EXECUTE FUNCTION disclosure.keep_agreement();
ALTER TABLE disclosure.agreement ENABLE ALWAYS TRIGGER keep_agreement;

-- Every catalogue by which plans were compiled: variables, and the masks' SQL.
CREATE TABLE disclosure.catalogue (
    version text        CONSTRAINT pk_catalogue PRIMARY KEY,
    content jsonb       NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Every plan by the id that access records name: the digest of what it was compiled from.
CREATE TABLE disclosure.plan (
    id        text    CONSTRAINT pk_plan PRIMARY KEY,
    agreement text    NOT NULL,
    version   integer NOT NULL,
    catalogue text    NOT NULL CONSTRAINT fk_plan_catalogue REFERENCES disclosure.catalogue,
    identity  bytea   NOT NULL,
    kept_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT fk_plan_agreement FOREIGN KEY (agreement, version) REFERENCES disclosure.agreement,
    CONSTRAINT ck_plan_id CHECK (id = encode(sha256(identity), 'hex'))
);

ALTER TABLE disclosure.restriction
    ADD COLUMN reason text,
    ADD COLUMN act uuid;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA disclosure FROM PUBLIC;
