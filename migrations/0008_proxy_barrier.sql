-- Who must acknowledge a release: what the rows of proxies and replicas must tell beside what was acknowledged.

-- Since when the replica has been there, with its heartbeat and the database, without a gap.
ALTER TABLE replica ADD COLUMN up_since timestamptz NOT NULL DEFAULT now();
-- It said that it ends; its last heartbeat still tells which streams ended before.
ALTER TABLE replica ADD COLUMN has_ended boolean NOT NULL DEFAULT false;

ALTER TABLE proxy
    -- The mesh's revision of the first configuration that the proxy was ever sent; 0: none was.
    ADD COLUMN first_revision bigint NOT NULL DEFAULT 1,
    -- Everything of this revision that the proxy wants was sent and answered, accepted or refused.
    ADD COLUMN answered_revision bigint NOT NULL DEFAULT 0,
    -- Services whose routes it is sent; NULL: all.
    ADD COLUMN routed text[],
    -- What it lacks because it refused it; NULL: nothing.
    ADD COLUMN refused text[],
    -- When its stream began, and when it ended, by the database's clock.
    ADD COLUMN opened_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN ended_at timestamptz,
    -- The address that its stream comes from.
    ADD COLUMN peer text NOT NULL DEFAULT '',
    -- When another replica last had a stream of it too, from another address.
    ADD COLUMN contested_at timestamptz;

-- Proxies that said goodbye, or whose endpoint was deleted: when they have no stream, they are not waited for.
CREATE TABLE departed_proxy (
    tenant    dns_label   NOT NULL,
    mesh      dns_label   NOT NULL,
    namespace dns_label   NOT NULL,
    name      dns_label   NOT NULL,
    said_at         timestamptz,
    -- Counts only if no other endpoint names it.
    unregistered_at timestamptz,
    PRIMARY KEY (tenant, mesh, namespace, name)
);
ALTER TABLE departed_proxy ENABLE ROW LEVEL SECURITY;
ALTER TABLE departed_proxy FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON departed_proxy USING (visible_tenant(tenant)) WITH CHECK (visible_tenant(tenant));

-- The proxy that an endpoint names. A column, because an index on an expression is not used under row-level security.
ALTER TABLE object ADD COLUMN sidecar text COLLATE "C"
    GENERATED ALWAYS AS (CASE WHEN kind = 'Endpoint' THEN spec #>> '{sidecar,proxy}' END) STORED;
CREATE INDEX endpoint_of_proxy ON object (tenant, mesh, namespace, sidecar) WHERE sidecar IS NOT NULL;

-- The migration works for all tenants.
SELECT set_config('sluice.tenant', '*', true);
UPDATE proxy SET answered_revision = acked_revision, ended_at = CASE WHEN connected THEN NULL ELSE updated_at END;
