-- A record is kept whole in its row. It takes some 2,200 bytes; from 2,032 on PostgreSQL would try to
-- compress it, in vain since digests and ciphertext do not compress, and then move its leaf into a table
-- beside, with an index of its own: more work for each record, and for each that the sequencer reads,
-- than all the rest. Records of many people (above 4,096 bytes) still go there.
DO $$
DECLARE
    part regclass;
BEGIN
    FOR part IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'audit.record'::regclass
    LOOP
        EXECUTE format('ALTER TABLE %s SET (toast_tuple_target = 4096)', part);
    END LOOP;
END
$$;

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
                    EXECUTE format('ALTER TABLE audit.%I SET (toast_tuple_target = 4096)', child);
                END IF;
            END IF;
        END LOOP;
    END LOOP;
END
$$;
