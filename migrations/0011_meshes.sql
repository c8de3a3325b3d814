-- A mesh is an object too. Its row of `object` comes and goes with its row of `mesh`, also where a server writes that knows
-- nothing of such objects: of the version before, while both run, or after going back to it.
CREATE FUNCTION follow_mesh() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- What a tenant has outside of its meshes is none.
    IF TG_OP = 'DELETE' THEN
        DELETE FROM object
         WHERE tenant = OLD.tenant AND kind = 'Mesh' AND mesh = '' AND namespace = '' AND service = '' AND name = OLD.mesh;
    ELSIF NEW.mesh <> '' THEN
        INSERT INTO object (tenant, kind, mesh, namespace, service, name, revision, spec, created_at, updated_at)
        SELECT NEW.tenant, 'Mesh', '', '', '', NEW.mesh, greatest(revision, 1), '{}', NEW.created_at, NEW.created_at
          FROM mesh WHERE tenant = NEW.tenant AND mesh = ''
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER follow_mesh AFTER INSERT OR DELETE ON mesh FOR EACH ROW EXECUTE FUNCTION follow_mesh();

-- The migration works for all tenants.
SELECT set_config('sluice.tenant', '*', true);
INSERT INTO object (tenant, kind, mesh, namespace, service, name, revision, spec, created_at, updated_at)
SELECT m.tenant, 'Mesh', '', '', '', m.mesh, greatest(t.revision, 1), '{}', m.created_at, m.created_at
  FROM mesh m JOIN mesh t ON t.tenant = m.tenant AND t.mesh = ''
 WHERE m.mesh <> ''
ON CONFLICT DO NOTHING;
