-- Acts that two people must sign. No login but the owner's reaches them; not even the owner can give
-- one a second signer who is missing, the same, or not enrolled, or change what was signed.

CREATE SCHEMA acts;

CREATE TABLE acts.approver (
    name        text        CONSTRAINT pk_approver PRIMARY KEY,
    key         bytea       NOT NULL CONSTRAINT uq_approver_key UNIQUE,
    enrolled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    retired_at  timestamptz,
    CONSTRAINT ck_approver_name CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    CONSTRAINT ck_approver_key CHECK (octet_length(key) = 32)  -- Ed25519 (RFC 8032)
);

CREATE TABLE acts.act (
    id          uuid        CONSTRAINT pk_act PRIMARY KEY,
    kind        text        NOT NULL,
    statement   bytea       NOT NULL,
    digest      bytea       NOT NULL,
    proposed_by text        NOT NULL CONSTRAINT fk_act_proposed_by REFERENCES acts.approver,
    proposal    bytea       NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at  timestamptz NOT NULL,
    approved_by text        CONSTRAINT fk_act_approved_by REFERENCES acts.approver,
    approval    bytea,
    approved_at timestamptz,
    CONSTRAINT ck_act_digest CHECK (digest = sha256(statement)),
    CONSTRAINT ck_act_signatures CHECK (octet_length(proposal) = 64 AND octet_length(approval) = 64),
    CONSTRAINT ck_act_approved_whole
        CHECK (num_nulls(approved_by, approval, approved_at) IN (0, 3)),
    CONSTRAINT ck_act_two_people CHECK (approved_by <> proposed_by)
);
CREATE INDEX ix_act_waiting ON acts.act (proposed_at) WHERE approved_by IS NULL;

-- A signer must be enrolled when signing; what was signed once stays as it is.
CREATE FUNCTION acts.check_act() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    signer text := new.proposed_by;
BEGIN
    IF tg_op = 'UPDATE' THEN
        signer := new.approved_by;
        IF (old.id, old.kind, old.statement, old.proposed_by, old.proposal, old.proposed_at, old.expires_at)
            IS DISTINCT FROM
           (new.id, new.kind, new.statement, new.proposed_by, new.proposal, new.proposed_at, new.expires_at)
        THEN
            RAISE EXCEPTION 'what was proposed cannot be changed' USING ERRCODE = 'check_violation';
        END IF;
        IF old.approved_by IS NOT NULL OR clock_timestamp() >= old.expires_at THEN
            RAISE EXCEPTION 'an act is approved once, before it expires' USING ERRCODE = 'check_violation';
        END IF;
    ELSIF new.approved_by IS NOT NULL THEN
        RAISE EXCEPTION 'an act is proposed before it is approved' USING ERRCODE = 'check_violation';
    END IF;
    PERFORM FROM acts.approver a WHERE a.name = signer AND a.retired_at IS NULL FOR SHARE;
    IF NOT found THEN
        RAISE EXCEPTION 'the signer is not enrolled' USING ERRCODE = 'check_violation';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER check_act BEFORE INSERT OR UPDATE ON acts.act
    FOR EACH ROW EXECUTE FUNCTION acts.check_act();
ALTER TABLE acts.act ENABLE ALWAYS TRIGGER check_act;

-- An approver's key never changes and a retired one never comes back: signatures stay checkable.
CREATE FUNCTION acts.check_approver() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF (old.name, old.key, old.enrolled_at) IS DISTINCT FROM (new.name, new.key, new.enrolled_at)
        OR old.retired_at IS NOT NULL
    THEN
        RAISE EXCEPTION 'an approver can only be retired' USING ERRCODE = 'check_violation';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER check_approver BEFORE UPDATE ON acts.approver
    FOR EACH ROW EXECUTE FUNCTION acts.check_approver();
ALTER TABLE acts.approver ENABLE ALWAYS TRIGGER check_approver;

CREATE FUNCTION acts.refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'acts and approvers are kept' USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER keep_act BEFORE DELETE OR TRUNCATE ON acts.act
    FOR EACH STATEMENT EXECUTE FUNCTION acts.refuse();
ALTER TABLE acts.act ENABLE ALWAYS TRIGGER keep_act;
CREATE TRIGGER keep_approver BEFORE DELETE OR TRUNCATE ON acts.approver
    FOR EACH STATEMENT EXECUTE FUNCTION acts.refuse();
ALTER TABLE acts.approver ENABLE ALWAYS TRIGGER keep_approver;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA acts FROM PUBLIC;
