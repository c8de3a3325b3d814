-- The order in which the proxies of a mesh change, so that a list of them can be watched.

-- Whoever writes rows of proxy raises the revision of their mesh first, in the order of this table's key. The row's lock makes
-- the revisions follow the order of commits, so a reader can never miss one.
CREATE TABLE proxy_feed (
    tenant    dns_label NOT NULL,
    mesh      dns_label NOT NULL,
    revision  bigint    NOT NULL CHECK (revision > 0),
    -- The feed holds what came after this revision.
    compacted bigint    NOT NULL DEFAULT 0 CHECK (compacted >= 0),
    PRIMARY KEY (tenant, mesh)
);

-- The revision at which the proxy changed last. It has no index on purpose: rows are written with every acknowledgement, and
-- read by it only while somebody watches.
ALTER TABLE proxy ADD COLUMN revision bigint NOT NULL DEFAULT 1;

-- Proxies that are not listed any more.
CREATE TABLE forgotten_proxy (
    tenant    dns_label   NOT NULL,
    mesh      dns_label   NOT NULL,
    revision  bigint      NOT NULL,
    namespace dns_label   NOT NULL,
    name      dns_label   NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, mesh, revision, namespace, name)
);

-- Whether the feeds say that the replica is silent, and so its proxies not connected.
ALTER TABLE replica ADD COLUMN is_lost boolean NOT NULL DEFAULT false;

-- The migration works for all tenants.
SELECT set_config('sluice.tenant', '*', true);
INSERT INTO proxy_feed (tenant, mesh, revision) SELECT DISTINCT tenant, mesh, 1 FROM proxy;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['proxy_feed', 'forgotten_proxy'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I USING (visible_tenant(tenant)) WITH CHECK (visible_tenant(tenant))', name);
    END LOOP;
END $$;
