-- Requests as the sidecars count them: per destination, ten seconds and replica that heard of it; later per minute and per hour.

-- Rows are many and small, so their columns are not checked again by the types of keys, and a mesh is its `uid` only: what is said
-- of a mesh that is gone is nobody's. Deleting a few thousand by age is cheap enough to need no partitions: at 300 rows a second it
-- is a tenth of what writing them costs.
CREATE TABLE traffic (
    tenant  text     NOT NULL COLLATE "C",
    mesh    uuid     NOT NULL,
    -- Seconds that a slot has: 10, 60 or 3600.
    span    integer  NOT NULL CHECK (span > 0),
    -- Seconds since 1970 / span.
    slot    bigint   NOT NULL,
    -- As clusters are named after it: `reviews.shop.svc.cluster.local`, `shop/api.example.com`.
    host    text     NOT NULL COLLATE "C",
    -- A start of a replica, so that a slot that was written never changes; empty: all of them.
    writer  text     NOT NULL COLLATE "C",
    -- TrafficSample in the program.
    samples bytea    NOT NULL,
    PRIMARY KEY (tenant, mesh, host, span, slot, writer)
);
CREATE INDEX traffic_age ON traffic (span, slot);

-- How many of a replica's sidecars have reported, so that numbers in which some are missing are known for what they are.
CREATE TABLE traffic_coverage (
    tenant     text    NOT NULL COLLATE "C",
    mesh       uuid    NOT NULL,
    slot       bigint  NOT NULL,
    writer     text    NOT NULL COLLATE "C",
    -- Sidecars that were connected all the time.
    connected  integer NOT NULL,
    -- Sidecars whose report of this slot came.
    reporting  integer NOT NULL,
    -- Series that were counted together with others because there were too many.
    overflowed integer NOT NULL,
    -- The replica ended in order, and its sidecars are elsewhere.
    is_last    boolean NOT NULL,
    PRIMARY KEY (tenant, mesh, slot, writer)
);
CREATE INDEX traffic_coverage_age ON traffic_coverage (slot);

-- Up to which slot a span has been added up from the finer one, and until when some replica is at it.
CREATE TABLE traffic_rollup (
    span        integer     PRIMARY KEY,
    through     bigint      NOT NULL,
    lease_until timestamptz NOT NULL
);

ALTER TABLE proxy
    -- When it last reported statistics, and when loads only. NULL: never.
    ADD COLUMN stats_at timestamptz,
    ADD COLUMN loads_at timestamptz;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['traffic', 'traffic_coverage'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I USING (visible_tenant(tenant)) WITH CHECK (visible_tenant(tenant))', name);
    END LOOP;
END $$;

CREATE FUNCTION forget_traffic() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM traffic WHERE tenant = OLD.tenant AND mesh = OLD.uid;
    DELETE FROM traffic_coverage WHERE tenant = OLD.tenant AND mesh = OLD.uid;
    RETURN NULL;
END
$$;
CREATE TRIGGER forget_traffic AFTER DELETE ON mesh FOR EACH ROW EXECUTE FUNCTION forget_traffic();
