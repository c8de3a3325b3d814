-- What must not be read in a dump: sealed by a key of its tenant, which is wrapped by a key that is not in the database.

CREATE TABLE data_key (
    tenant     dns_label   NOT NULL,
    id         text        NOT NULL COLLATE "C",
    -- What a tenant has outside of its meshes: the key goes with the tenant.
    mesh       scope_part  NOT NULL DEFAULT '',
    -- Of the tenant's object, which the key is bound to.
    tenant_uid uuid        NOT NULL,
    -- The id of the key-encryption key that wraps it.
    wrapped_by text        NOT NULL COLLATE "C",
    wrapped    bytea       NOT NULL,
    -- The one that seals. Others only open, until nothing is sealed by them.
    is_current boolean     NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, mesh) REFERENCES mesh ON DELETE CASCADE
);
CREATE UNIQUE INDEX data_key_current ON data_key (tenant) WHERE is_current;

-- Values that belong to an object and stand in no document of it.
CREATE TABLE sealed_value (
    tenant    dns_label  NOT NULL,
    kind      text       NOT NULL COLLATE "C",
    mesh      scope_part NOT NULL,
    namespace scope_part NOT NULL,
    service   scope_part NOT NULL,
    name      dns_label  NOT NULL,
    -- Which of the object's values.
    field     text       NOT NULL COLLATE "C",
    data_key  text       NOT NULL COLLATE "C",
    sealed    bytea      NOT NULL,
    PRIMARY KEY (tenant, kind, mesh, namespace, service, name, field),
    FOREIGN KEY (tenant, kind, mesh, namespace, service, name) REFERENCES object ON DELETE CASCADE,
    FOREIGN KEY (tenant, data_key) REFERENCES data_key
);
-- What is sealed by a key that is to go.
CREATE INDEX sealed_value_key ON sealed_value (tenant, data_key);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['data_key', 'sealed_value'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I USING (visible_tenant(tenant)) WITH CHECK (visible_tenant(tenant))', name);
    END LOOP;
END $$;
