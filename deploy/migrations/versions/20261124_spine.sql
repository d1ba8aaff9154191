-- Standing tables. Release tables (registry.individual_N, ...) are made by the loader.

CREATE SCHEMA registry;
CREATE SCHEMA disclosure;
CREATE SCHEMA auth;
CREATE SCHEMA audit;

-- ---------------------------------------------------------------------------------- releases

CREATE SEQUENCE registry.release_ordinal AS integer;  -- never reused

CREATE TABLE registry.release (
    ordinal          integer     CONSTRAINT pk_release PRIMARY KEY,
    id               text        NOT NULL,
    metadata_version text        NOT NULL,
    cut_off          date        NOT NULL,
    published        date        NOT NULL,
    next_publication date,
    state            text        NOT NULL,
    individuals      bigint      NOT NULL DEFAULT 0,
    families         bigint      NOT NULL DEFAULT 0,
    loaded_at        timestamptz NOT NULL DEFAULT now(),
    destroyed_at     timestamptz,
    CONSTRAINT ck_release_state CHECK (state IN ('loading', 'ready', 'destroyed'))
);
CREATE UNIQUE INDEX uq_release_kept ON registry.release (id) WHERE state <> 'destroyed';

-- One row says which release is in force; activation and rollback move it.
CREATE TABLE registry.pointer (
    "only"   boolean     CONSTRAINT pk_pointer PRIMARY KEY DEFAULT true,
    ordinal  integer     CONSTRAINT fk_pointer_release REFERENCES registry.release,
    moved_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_pointer_only CHECK ("only")
);
INSERT INTO registry.pointer DEFAULT VALUES;

-- What an as-of date reads: the release that was active at the end of that day.
CREATE TABLE registry.activation (
    seq          bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_activation PRIMARY KEY,
    ordinal      integer     NOT NULL CONSTRAINT fk_activation_release REFERENCES registry.release,
    activated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- -------------------------------------------------------------------------------- disclosure

CREATE SEQUENCE disclosure.epoch;  -- never reused

-- What a mandate rests on. A revoker locks this table exclusively before it changes a row, and so
-- waits for every recording statement in flight.
CREATE TABLE disclosure.authority (
    kind   text    NOT NULL,
    name   text    NOT NULL,
    epoch  bigint  NOT NULL DEFAULT nextval('disclosure.epoch'),
    active boolean NOT NULL DEFAULT true,
    agency text,
    CONSTRAINT pk_authority PRIMARY KEY (kind, name),
    CONSTRAINT ck_authority_kind CHECK (kind IN ('client', 'agreement', 'restrictions'))
);
INSERT INTO disclosure.authority (kind, name) VALUES ('restrictions', '');

-- The one way to change authority: the lock first, so that epochs commit in the order in which they
-- are drawn, and so that what is in flight has been recorded before the change is visible.
CREATE FUNCTION disclosure.set_authority(kind text, name text, active boolean, agency text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    drawn bigint;
BEGIN
    LOCK TABLE disclosure.authority IN ACCESS EXCLUSIVE MODE;
    INSERT INTO disclosure.authority AS a (kind, name, active, agency)
    VALUES (set_authority.kind, set_authority.name, set_authority.active, set_authority.agency)
    ON CONFLICT ON CONSTRAINT pk_authority
    DO UPDATE SET epoch = nextval('disclosure.epoch'), active = excluded.active, agency = excluded.agency
    RETURNING a.epoch INTO drawn;
    RETURN drawn;
END
$$;

CREATE TABLE disclosure.agency (
    code             text        CONSTRAINT pk_agency PRIMARY KEY,
    name             text        NOT NULL,
    role             text        NOT NULL,
    pairwise_version text        NOT NULL,
    registered_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_agency_role CHECK (role IN ('pengendali', 'prosesor', 'pengguna', 'pengawas'))
);

-- Every version ever applied is kept; at most one of an agreement is in force.
CREATE TABLE disclosure.agreement (
    id         text        NOT NULL,
    version    integer     NOT NULL,
    agency     text        NOT NULL CONSTRAINT fk_agreement_agency REFERENCES disclosure.agency,
    document   text        NOT NULL,
    terms      jsonb       NOT NULL,
    state      text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_agreement PRIMARY KEY (id, version),
    CONSTRAINT ck_agreement_state CHECK (state IN ('in_force', 'superseded', 'revoked'))
);
CREATE UNIQUE INDEX uq_agreement_in_force ON disclosure.agreement (id) WHERE state = 'in_force';

CREATE TABLE disclosure.restriction (
    -- In the collation of the releases' NIK: of another one, no lookup could use this key's index.
    nik    text COLLATE "C" CONSTRAINT pk_restriction PRIMARY KEY,
    kind   text        NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_restriction_kind CHECK (kind IN ('mark', 'limit', 'hide'))
);

-- Budgets of a window (WIB). Workers draw leases on them before they spend. Never UNLOGGED: a
-- crash would hand out fresh ones.
CREATE TABLE disclosure.budget (
    holder  text        NOT NULL,
    unit    text        NOT NULL,
    span    text        NOT NULL,
    starts  timestamptz NOT NULL,
    drawn   bigint      NOT NULL,
    CONSTRAINT pk_budget PRIMARY KEY (holder, unit, span, starts),
    CONSTRAINT ck_budget_unit CHECK (unit IN ('requests', 'people')),
    CONSTRAINT ck_budget_span CHECK (span IN ('minute', 'day', 'month')),
    CONSTRAINT ck_budget_drawn CHECK (drawn >= 0)
);

CREATE FUNCTION disclosure.window_start(span text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE SET timezone = 'UTC'
RETURN date_trunc(span, clock_timestamp() AT TIME ZONE 'Asia/Jakarta') AT TIME ZONE 'Asia/Jakarta';

-- Draws up to `wanted` from what `ceiling` leaves of the present window; granted may be 0.
CREATE FUNCTION disclosure.draw_lease(holder text, unit text, span text, ceiling bigint, wanted bigint)
RETURNS TABLE (granted bigint, drawn bigint, starts timestamptz, ends timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present timestamptz := disclosure.window_start(span);
    before  bigint;
BEGIN
    IF wanted < 0 OR ceiling < 0 THEN
        RAISE EXCEPTION 'a lease cannot be negative' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO disclosure.budget AS b (holder, unit, span, starts, drawn)
    VALUES (draw_lease.holder, draw_lease.unit, draw_lease.span, present, 0)
    ON CONFLICT ON CONSTRAINT pk_budget DO NOTHING;
    SELECT b.drawn INTO before FROM disclosure.budget b
    WHERE (b.holder, b.unit, b.span, b.starts)
        = (draw_lease.holder, draw_lease.unit, draw_lease.span, present)
    FOR UPDATE;
    granted := greatest(0, least(wanted, ceiling - before));
    UPDATE disclosure.budget b SET drawn = before + granted
    WHERE (b.holder, b.unit, b.span, b.starts)
        = (draw_lease.holder, draw_lease.unit, draw_lease.span, present);
    drawn := before + granted;
    starts := present;
    ends := (present AT TIME ZONE 'Asia/Jakarta' + ('1 ' || span)::interval) AT TIME ZONE 'Asia/Jakarta';
    RETURN NEXT;
END
$$;

-- Gives an unused part of a lease back to the window that it was drawn from.
CREATE FUNCTION disclosure.return_lease(holder text, unit text, span text, starts timestamptz, unused bigint)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF unused < 0 THEN
        RAISE EXCEPTION 'a return cannot be negative' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    UPDATE disclosure.budget b SET drawn = b.drawn - unused
    WHERE (b.holder, b.unit, b.span, b.starts)
        = (return_lease.holder, return_lease.unit, return_lease.span, return_lease.starts);
END
$$;

-- A proof that may be used once (a client assertion's jti; a DPoP proof's later).
CREATE TABLE disclosure.used_proof (
    kind    text        NOT NULL,
    holder  text        NOT NULL,
    jti     bytea       NOT NULL,
    expires timestamptz NOT NULL,
    CONSTRAINT pk_used_proof PRIMARY KEY (kind, holder, jti)
);
CREATE INDEX ix_used_proof_expires ON disclosure.used_proof (expires);

-- -------------------------------------------------------------------------------------- auth

CREATE TABLE auth.client (
    client_id     text        CONSTRAINT pk_client PRIMARY KEY,
    agency        text        NOT NULL CONSTRAINT fk_client_agency REFERENCES disclosure.agency,
    description   text        NOT NULL,
    auth_method   text        NOT NULL,
    token_binding text        NOT NULL,
    jwks          jsonb       NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz,
    revoked_at    timestamptz,
    CONSTRAINT ck_client_method CHECK (auth_method IN ('private_key_jwt', 'self_signed_tls_client_auth')),
    CONSTRAINT ck_client_binding CHECK (token_binding IN ('dpop', 'mtls', 'none'))
);

-- ------------------------------------------------------------------------------------- audit

-- The access log. Rows are written once, in their final bytes, and never changed. Monthly
-- partitions; `audit.ensure_partitions` keeps the next month's ready.
CREATE TABLE audit.record (
    id                uuid        NOT NULL,
    recorded_at       timestamptz NOT NULL,
    key_epoch         text        NOT NULL,
    typ               text        NOT NULL,
    op                text        NOT NULL,
    outcome           text        NOT NULL,
    status            smallint    NOT NULL,
    agency            text,
    client            text,
    purpose           text,
    agreement         text,
    agreement_version integer,
    release           text,
    people            integer     NOT NULL,
    subjects          bytea       NOT NULL,
    families          bytea       NOT NULL,
    officer           bytea,
    case_ref          bytea,
    leaf              bytea       NOT NULL,
    disclosures       bytea       NOT NULL,
    CONSTRAINT pk_record PRIMARY KEY (recorded_at, id)
) PARTITION BY RANGE (recorded_at);
CREATE INDEX ix_record_id ON audit.record (id);
CREATE INDEX ix_record_agency ON audit.record (agency, recorded_at, id);

-- Records that the sequencer has not yet taken up. A state, not a position: nothing that commits
-- late can be passed over.
CREATE TABLE audit.pending (
    id          uuid        NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_pending PRIMARY KEY (recorded_at, id)
);

-- Who a record is about, by keyed index: unpacked by the sequencer, never holding a NIK.
CREATE TABLE audit.mention (
    value       bytea       NOT NULL,
    recorded_at timestamptz NOT NULL,
    record      uuid        NOT NULL,
    CONSTRAINT pk_mention PRIMARY KEY (value, recorded_at, record)
) PARTITION BY RANGE (recorded_at);

-- Up to when nothing earlier will still appear in the log or in its index.
CREATE TABLE audit.progress (
    "only"         boolean     CONSTRAINT pk_progress PRIMARY KEY DEFAULT true,
    complete_until timestamptz NOT NULL,
    CONSTRAINT ck_progress_only CHECK ("only")
);
INSERT INTO audit.progress (complete_until) VALUES ('epoch');

-- Makes the partitions of the month of `instant` and of the month after it.
CREATE FUNCTION audit.ensure_partitions(instant timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    parent text;
    first  timestamptz;
    child  text;
BEGIN
    FOR first IN SELECT date_trunc('month', instant) + make_interval(months => m) FROM generate_series(0, 1) m
    LOOP
        FOREACH parent IN ARRAY ARRAY['record', 'mention']
        LOOP
            child := format('%s_%s', parent, to_char(first, 'YYYY_MM'));
            IF to_regclass('audit.' || child) IS NULL THEN
                EXECUTE format('CREATE TABLE audit.%I PARTITION OF audit.%I FOR VALUES FROM (%L) TO (%L)',
                               child, parent, first, first + interval '1 month');
            END IF;
        END LOOP;
    END LOOP;
END
$$;
SELECT audit.ensure_partitions(now());

-- Functions open to nobody until deploy/grants.sql says so.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA disclosure, audit FROM PUBLIC;
