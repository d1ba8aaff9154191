-- The Merkle tree over the access log (docs/adr/0012), and tables that only grow.

-- One row a log: a year has a log of its own. The right edge of the tree (the partial tile of each
-- level, lowest first) is all that growing needs; `root` is what the edge says.
CREATE TABLE audit.tree (
    year      integer     CONSTRAINT pk_tree PRIMARY KEY,
    origin    text        NOT NULL,
    key       text        NOT NULL,
    size      bigint      NOT NULL,
    root      bytea       NOT NULL,
    edge      bytea[]     NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at timestamptz,
    CONSTRAINT uq_tree_origin UNIQUE (origin),
    CONSTRAINT ck_tree_size CHECK (size >= 0),
    CONSTRAINT ck_tree_root CHECK (length(root) = 32)
);
CREATE UNIQUE INDEX uq_tree_open ON audit.tree ((closed_at IS NULL)) WHERE closed_at IS NULL;

-- Where a record stands in its log. Without a record: a leaf of which only the hash is left, after a
-- database was lost (docs/operators/log.md).
CREATE TABLE audit.leaf (
    year        integer     NOT NULL,
    index       bigint      NOT NULL,
    recorded_at timestamptz,
    record      uuid,
    CONSTRAINT pk_leaf PRIMARY KEY (year, index)
) PARTITION BY RANGE (year, index);
CREATE INDEX ix_leaf_record ON audit.leaf (record);

-- Full tiles of 256 hashes, all levels (C2SP tlog-tiles); partial ones are the tree's edge.
CREATE TABLE audit.tile (
    year   integer  NOT NULL,
    level  smallint NOT NULL,
    index  bigint   NOT NULL,
    hashes bytea    NOT NULL,
    CONSTRAINT pk_tile PRIMARY KEY (year, level, index),
    CONSTRAINT ck_tile_hashes CHECK (length(hashes) = 8192)
) PARTITION BY LIST (year);
-- Hashes do not compress.
ALTER TABLE audit.tile ALTER COLUMN hashes SET STORAGE EXTERNAL;

-- Every checkpoint ever signed, as its note.
CREATE TABLE audit.checkpoint (
    year      integer     NOT NULL,
    size      bigint      NOT NULL,
    root      bytea       NOT NULL,
    note      bytea       NOT NULL,
    signed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_checkpoint PRIMARY KEY (year, size),
    CONSTRAINT ck_checkpoint_root CHECK (length(root) = 32)
) PARTITION BY LIST (year);

-- What was written stays, whoever asks: the owner too, and a session that replays (ENABLE ALWAYS).
-- Whoever switches these triggers off is found by `dtsen audit verify`.
CREATE FUNCTION audit.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'audit.% only grows', TG_TABLE_NAME
        USING ERRCODE = 'object_not_in_prerequisite_state';
END
$$;

-- A statement on a partitioned table fires its own trigger and none of its partitions', so that each
-- partition has one too.
CREATE FUNCTION audit.protect(what regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON %s'
                   ' FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change()', what);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER only_grows', what);
END
$$;

-- A log's row moves forward while its log is open, and never after.
CREATE FUNCTION audit.refuse_rewinding() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF OLD.closed_at IS NOT NULL OR NEW.size < OLD.size
        OR (NEW.size = OLD.size AND NEW.root <> OLD.root)
        OR (NEW.year, NEW.origin, NEW.opened_at) IS DISTINCT FROM (OLD.year, OLD.origin, OLD.opened_at)
    THEN
        RAISE EXCEPTION 'audit.tree only grows' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER only_forward BEFORE UPDATE ON audit.tree
FOR EACH ROW EXECUTE FUNCTION audit.refuse_rewinding();
ALTER TABLE audit.tree ENABLE ALWAYS TRIGGER only_forward;
CREATE TRIGGER only_grows BEFORE DELETE OR TRUNCATE ON audit.tree
FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
ALTER TABLE audit.tree ENABLE ALWAYS TRIGGER only_grows;

SELECT audit.protect(what) FROM unnest(ARRAY[
    'audit.record', 'audit.leaf', 'audit.tile', 'audit.checkpoint']::regclass[]) AS what;
SELECT audit.protect(inhrelid::regclass) FROM pg_inherits WHERE inhparent = 'audit.record'::regclass;

CREATE OR REPLACE FUNCTION audit.ensure_partitions(instant timestamptz) RETURNS void
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
                IF parent = 'record' THEN
                    PERFORM audit.protect(format('audit.%I', child)::regclass);
                END IF;
            END IF;
        END LOOP;
    END LOOP;
END
$$;

-- Makes the partitions that a year's log of `size` leaves needs, and those that it will need next.
-- 2^26 leaves a partition: 67 million.
CREATE FUNCTION audit.ensure_log(year integer, size bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    parent text;
    child  text;
    part   bigint;
BEGIN
    FOREACH parent IN ARRAY ARRAY['tile', 'checkpoint']
    LOOP
        child := format('%s_%s', parent, year);
        IF to_regclass('audit.' || child) IS NULL THEN
            EXECUTE format('CREATE TABLE audit.%I PARTITION OF audit.%I FOR VALUES IN (%L)',
                           child, parent, year);
            IF parent = 'tile' THEN
                EXECUTE format('ALTER TABLE audit.%I ALTER COLUMN hashes SET STORAGE EXTERNAL', child);
            END IF;
            PERFORM audit.protect(format('audit.%I', child)::regclass);
        END IF;
    END LOOP;
    FOR part IN SELECT (size >> 26) + n FROM generate_series(0, 1) n
    LOOP
        child := format('leaf_%s_%s', year, part);
        IF to_regclass('audit.' || child) IS NULL THEN
            EXECUTE format('CREATE TABLE audit.%I PARTITION OF audit.leaf FOR VALUES FROM (%L, %L) TO (%L, %L)',
                           child, year, part << 26, year, (part + 1) << 26);
            PERFORM audit.protect(format('audit.%I', child)::regclass);
        END IF;
    END LOOP;
END
$$;

-- What was recorded before there was a tree is taken up into it.
INSERT INTO audit.pending (id, recorded_at) SELECT id, recorded_at FROM audit.record
ON CONFLICT DO NOTHING;

-- Functions open to nobody until deploy/grants.sql says so.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA audit FROM PUBLIC;
