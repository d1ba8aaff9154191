-- What stands beside the releases' crosswalks: who counts as known to DTKS, corrections that two
-- people signed, and how much is still asked by legacy ids.

CREATE SCHEMA legacy;

-- Dated rules of the DTKS-equivalent population; the newest that has begun applies.
CREATE TABLE legacy.population (
    valid_from date        NOT NULL,
    version    integer     NOT NULL,
    terms      jsonb       NOT NULL,
    act        uuid        NOT NULL CONSTRAINT fk_population_act REFERENCES acts.act,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_population PRIMARY KEY (valid_from, version)
);

-- Links added to every release's crosswalk; columns as in registry.dtks_N.
CREATE TABLE legacy.added_link (
    id_dtks                  text COLLATE "C" NOT NULL,
    id_art_dtks              text COLLATE "C",
    idsemesta                text COLLATE "C",
    nomor_kartu_keluarga     text COLLATE "C",
    nomor_induk_kependudukan text COLLATE "C",
    state                    text COLLATE "C" NOT NULL,
    replaced_by              text COLLATE "C",
    source                   text COLLATE "C" NOT NULL,
    method                   text COLLATE "C" NOT NULL,
    score                    double precision,
    linked_on                date NOT NULL,
    act                      uuid NOT NULL CONSTRAINT fk_added_link_act REFERENCES acts.act,
    withdrawn_by             uuid CONSTRAINT fk_added_link_withdrawn_by REFERENCES acts.act,
    CONSTRAINT pk_added_link PRIMARY KEY (act),
    CONSTRAINT ck_added_link_state CHECK (state IN ('linked', 'unmatched', 'deceased', 'retired')),
    CONSTRAINT ck_added_link_score CHECK (score BETWEEN 0 AND 1)
);
CREATE INDEX ix_added_link_id_dtks ON legacy.added_link (id_dtks) WHERE withdrawn_by IS NULL;
CREATE INDEX ix_added_link_id_art_dtks ON legacy.added_link (id_art_dtks) WHERE withdrawn_by IS NULL;
CREATE INDEX ix_added_link_idsemesta ON legacy.added_link (idsemesta) WHERE withdrawn_by IS NULL;
CREATE INDEX ix_added_link_nik ON legacy.added_link (nomor_induk_kependudukan) WHERE withdrawn_by IS NULL;

-- Links of releases that count no more: those of the same household, member and person.
CREATE TABLE legacy.withdrawn_link (
    id_dtks                  text COLLATE "C" NOT NULL,
    id_art_dtks              text COLLATE "C",
    nomor_induk_kependudukan text COLLATE "C",
    act                      uuid NOT NULL CONSTRAINT fk_withdrawn_link_act REFERENCES acts.act,
    CONSTRAINT pk_withdrawn_link PRIMARY KEY (act)
);
CREATE INDEX ix_withdrawn_link ON legacy.withdrawn_link (id_dtks);

-- How much is still legacy, by week (WIB, its Monday). Identifiers stand by keyed index alone.
CREATE TABLE legacy.usage (
    agency text   NOT NULL,
    client text   NOT NULL,
    face   text   NOT NULL,
    week   date   NOT NULL,
    calls  bigint NOT NULL,
    CONSTRAINT pk_usage PRIMARY KEY (client, face, week, agency),
    CONSTRAINT ck_usage_face CHECK (face IN ('dtks', 'resolve'))
);
CREATE TABLE legacy.sighting (
    client text  NOT NULL,
    week   date  NOT NULL,
    value  bytea NOT NULL,
    face   text  NOT NULL,
    CONSTRAINT pk_sighting PRIMARY KEY (client, week, value, face),
    CONSTRAINT ck_sighting_face CHECK (face IN ('dtks', 'resolve')),
    CONSTRAINT ck_sighting_value CHECK (octet_length(value) = 16)
);

CREATE FUNCTION legacy.present_week() RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE SET timezone = 'UTC'
RETURN date_trunc('week', clock_timestamp() AT TIME ZONE 'Asia/Jakarta')::date;

-- Counts calls of this week and the identifiers asked by; forgets weeks that no scoreboard shows.
CREATE FUNCTION legacy.note(agency text, client text, face text, calls bigint, identifiers bytea[])
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present date := legacy.present_week();
BEGIN
    IF calls < 0 THEN
        RAISE EXCEPTION 'calls cannot be negative' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO legacy.usage AS u (agency, client, face, week, calls)
    VALUES (note.agency, note.client, note.face, present, note.calls)
    ON CONFLICT ON CONSTRAINT pk_usage DO UPDATE SET calls = u.calls + excluded.calls;
    -- In one order, so that two workers never wait for each other.
    INSERT INTO legacy.sighting (client, week, value, face)
    SELECT note.client, present, i.value, note.face
    FROM unnest(identifiers) AS i (value) GROUP BY i.value ORDER BY i.value
    ON CONFLICT ON CONSTRAINT pk_sighting DO NOTHING;
    DELETE FROM legacy.sighting s WHERE s.client = note.client AND s.week < present - 7 * 53;
END
$$;

-- Calls and distinct identifiers of each client and week, counted; never an index itself.
CREATE FUNCTION legacy.progress(agency text, since date)
RETURNS TABLE (agency_code text, client_id text, week_of date, dtks_calls bigint, resolve_calls bigint, identifiers bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT u.agency, u.client, u.week,
        coalesce(sum(u.calls) FILTER (WHERE u.face = 'dtks'), 0)::bigint,
        coalesce(sum(u.calls) FILTER (WHERE u.face = 'resolve'), 0)::bigint,
        (SELECT count(DISTINCT s.value) FROM legacy.sighting s WHERE (s.client, s.week) = (u.client, u.week))
    FROM legacy.usage u
    WHERE u.week >= progress.since AND (progress.agency IS NULL OR u.agency = progress.agency)
    GROUP BY u.agency, u.client, u.week
    ORDER BY u.agency, u.client, u.week
$$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA legacy FROM PUBLIC;
