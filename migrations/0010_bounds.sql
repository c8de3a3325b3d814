-- One life of a mesh. One that is deleted with its tenant and a later one of the same name are two: proxies' tokens say of which
-- they are, and whoever follows a feed notices that it is another's.
ALTER TABLE mesh
    ADD COLUMN uid        uuid        NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();

-- The migration works for all tenants.
SELECT set_config('sluice.tenant', '*', true);
-- Meshes live as long as their tenant. Tokens that were issued since then go on being good.
UPDATE mesh SET created_at = o.created_at FROM object o WHERE o.tenant = mesh.tenant AND o.kind = 'Tenant';

-- How large an object's documents are when they are read, so that whoever reads many can stop in time without reading them.
ALTER TABLE object ADD COLUMN size integer NOT NULL GENERATED ALWAYS AS (
    octet_length(labels::text) + octet_length(annotations::text) + octet_length(spec::text) + octet_length(status::text)
) STORED;
