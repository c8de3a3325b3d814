-- When releases do not go on: the times of freeze windows, computed once, so that whoever asks compares with the clock and nothing else.

-- The first instant at which the wall clock of a time zone shows this or later. What it skips is the first instant after that, and of
-- what it shows twice this is the first. (AT TIME ZONE alone answers other instants to both.)
CREATE FUNCTION first_instant(wall timestamp, zone text) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
    utc    CONSTANT timestamptz := wall AT TIME ZONE 'UTC';
    -- No clock is more than 16 hours from UTC, and none is changed twice in a day and a half.
    before CONSTANT interval := ((utc - interval '16 h') AT TIME ZONE zone) - ((utc - interval '16 h') AT TIME ZONE 'UTC');
    behind CONSTANT interval := ((utc + interval '16 h') AT TIME ZONE zone) - ((utc + interval '16 h') AT TIME ZONE 'UTC');
    low    timestamptz := least(utc - before, utc - behind);
    high   timestamptz := greatest(utc - before, utc - behind);
    middle timestamptz;
BEGIN
    IF low AT TIME ZONE zone = wall THEN RETURN low; END IF;
    IF high AT TIME ZONE zone = wall THEN RETURN high; END IF;
    WHILE high - low > interval '1 s' LOOP
        middle := low + make_interval(secs => floor(extract(epoch FROM high - low) / 2)::float8);
        IF middle AT TIME ZONE zone >= wall THEN high := middle; ELSE low := middle; END IF;
    END LOOP;
    RETURN high;
END
$$;

CREATE TABLE freeze_occurrence (
    tenant    dns_label   NOT NULL,
    mesh      dns_label   NOT NULL,
    namespace dns_label   NOT NULL,
    -- Of the window.
    name      dns_label   NOT NULL,
    starts_at timestamptz NOT NULL,
    -- NULL: when the window is deleted.
    ends_at   timestamptz CHECK (ends_at > starts_at),
    -- Freeze.Blocked in the program.
    blocks    text[]      NOT NULL,
    -- Of the window's namespace; empty: all.
    services  text[]      NOT NULL,
    PRIMARY KEY (tenant, mesh, namespace, name, starts_at)
);
-- Those that are over are deleted, so what has begun are the few that are in force.
CREATE INDEX freeze_occurrence_begun ON freeze_occurrence (tenant, mesh, namespace, starts_at);
CREATE INDEX freeze_occurrence_age ON freeze_occurrence (ends_at);

-- Windows that come again and again.
CREATE TABLE freeze_schedule (
    tenant      dns_label   NOT NULL,
    mesh        dns_label   NOT NULL,
    namespace   dns_label   NOT NULL,
    name        dns_label   NOT NULL,
    -- All occurrences are stored that begin before this. Behind it nobody knows, and the window counts as in force.
    known_until timestamptz NOT NULL,
    -- When to store the next ones.
    extend_at   timestamptz NOT NULL,
    -- Grows with every write and every claim; who finds another number writes nothing.
    epoch       bigint      NOT NULL DEFAULT 0,
    lease_until timestamptz,
    blocks      text[]      NOT NULL,
    services    text[]      NOT NULL,
    PRIMARY KEY (tenant, mesh, namespace, name)
);
CREATE INDEX freeze_schedule_due ON freeze_schedule (extend_at);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['freeze_occurrence', 'freeze_schedule'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I USING (visible_tenant(tenant)) WITH CHECK (visible_tenant(tenant))', name);
    END LOOP;
END $$;
