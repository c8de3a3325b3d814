-- What the release engine needs beside a release's document: who drives it, when to look at it next, what happened.

CREATE TABLE release (
    tenant         dns_label   NOT NULL,
    mesh           dns_label   NOT NULL,
    namespace      dns_label   NOT NULL,
    name           dns_label   NOT NULL,
    service        dns_label   NOT NULL,
    port           integer     NOT NULL CHECK (port BETWEEN 1 AND 65535),
    -- Started and not ended: it owns the traffic of its service's port.
    active         boolean     NOT NULL DEFAULT false,
    -- Grows with every write of the release; writers compare it, so of two only one wins.
    row_version    bigint      NOT NULL DEFAULT 1,
    lease_owner    text,
    -- Grows with every claim; a replica that was stopped and comes back finds another number and writes nothing.
    lease_epoch    bigint      NOT NULL DEFAULT 0,
    lease_until    timestamptz,
    next_wakeup_at timestamptz,
    last_driven_at timestamptz,
    PRIMARY KEY (tenant, mesh, namespace, name)
);
CREATE UNIQUE INDEX release_one_active ON release (tenant, mesh, namespace, service, port) WHERE active;
CREATE INDEX release_due ON release (next_wakeup_at) WHERE next_wakeup_at IS NOT NULL;

CREATE TABLE release_event (
    sequence   bigint      GENERATED ALWAYS AS IDENTITY,
    tenant     dns_label   NOT NULL,
    -- Of the object, so that a re-created release begins without the old one's events.
    release    uuid        NOT NULL,
    dedupe_key text        NOT NULL,
    type       text        NOT NULL,
    actor      text        NOT NULL,
    payload    jsonb       NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (tenant, release, sequence),
    UNIQUE (tenant, release, dedupe_key)
);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['release', 'release_event'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I USING (visible_tenant(tenant)) WITH CHECK (visible_tenant(tenant))', name);
    END LOOP;
END $$;
