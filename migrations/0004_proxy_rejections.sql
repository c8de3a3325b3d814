-- Which objects proxies refuse, and what a replica must know of a proxy to tell what it is sent.

-- The kind of program, its service and its port: with mesh, namespace and name, what decides its configuration.
ALTER TABLE proxy ADD COLUMN client jsonb NOT NULL DEFAULT '{}';

-- Finds nothing, quickly, unless something is refused in the mesh: what reading any object asks.
CREATE INDEX proxy_rejecting ON proxy (tenant, mesh) WHERE rejected_revision IS NOT NULL;
