-- What replicas find out about objects after they were written: conditions beside those that stand in an object's status.

-- Of which revision of a mesh the conditions are, and who writes them. Its row's lock makes the sequences of one mesh follow the
-- order of commits, so that a watch can never miss a change of conditions, which is none of the objects.
CREATE TABLE condition_state (
    tenant      dns_label NOT NULL,
    mesh        dns_label NOT NULL,
    -- The mesh's when it was looked at last.
    revision    bigint    NOT NULL DEFAULT 0 CHECK (revision >= 0),
    -- Grows with every change of conditions.
    sequence    bigint    NOT NULL DEFAULT 0 CHECK (sequence >= 0),
    writer      text      NOT NULL,
    lease_until timestamptz NOT NULL,
    PRIMARY KEY (tenant, mesh),
    FOREIGN KEY (tenant, mesh) REFERENCES mesh ON DELETE CASCADE
);

CREATE TABLE object_condition (
    tenant    dns_label   NOT NULL,
    mesh      dns_label   NOT NULL,
    kind      text        NOT NULL COLLATE "C",
    namespace dns_label   NOT NULL,
    service   scope_part  NOT NULL,
    name      dns_label   NOT NULL,
    -- Who found it out.
    source    text        NOT NULL,
    position  integer     NOT NULL,
    -- Of the object, so that a re-created one begins without the old one's.
    uid       uuid        NOT NULL,
    -- The part of the object's surroundings that it is about, such as a listener or a parent; empty: none.
    subject   text        NOT NULL,
    -- Of the mesh, when it was found out.
    revision  bigint      NOT NULL,
    type      text        NOT NULL,
    status    boolean     NOT NULL,
    reason    text        NOT NULL,
    pointer   text        NOT NULL,
    message   text        NOT NULL,
    -- The other object that it comes from.
    other     jsonb,
    since     timestamptz NOT NULL,
    PRIMARY KEY (tenant, mesh, kind, namespace, service, name, source, position),
    FOREIGN KEY (tenant, mesh) REFERENCES condition_state ON DELETE CASCADE
);

-- When the conditions of an object changed last, also those that it no longer has.
CREATE TABLE condition_change (
    tenant    dns_label   NOT NULL,
    mesh      dns_label   NOT NULL,
    kind      text        NOT NULL COLLATE "C",
    namespace dns_label   NOT NULL,
    service   scope_part  NOT NULL,
    name      dns_label   NOT NULL,
    sequence  bigint      NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, mesh, kind, namespace, service, name),
    FOREIGN KEY (tenant, mesh) REFERENCES condition_state ON DELETE CASCADE
);
CREATE INDEX condition_change_order ON condition_change (tenant, mesh, sequence);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['condition_state', 'object_condition', 'condition_change'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I USING (visible_tenant(tenant)) WITH CHECK (visible_tenant(tenant))', name);
    END LOOP;
END $$;
