-- What the replicas of the server know of each other and of the proxies connected to them.

-- A replica that has not been seen for a while has lost its proxies, whatever their rows say.
CREATE TABLE replica (
    id           text        PRIMARY KEY,
    heartbeat_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE proxy (
    tenant            dns_label   NOT NULL,
    mesh              dns_label   NOT NULL,
    namespace         dns_label   NOT NULL,
    name              dns_label   NOT NULL,
    replica           text        NOT NULL,
    connected         boolean     NOT NULL,
    connected_at      timestamptz NOT NULL,
    -- Everything of this revision of the mesh that concerns the proxy has been acknowledged.
    acked_revision    bigint      NOT NULL,
    -- What was refused last and has not been replaced since.
    rejected_revision bigint,
    rejected_message  text,
    -- Per resource type: state, versions, last error.
    types             jsonb       NOT NULL,
    updated_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, mesh, namespace, name)
);
CREATE INDEX proxy_of_replica ON proxy (replica);
ALTER TABLE proxy ENABLE ROW LEVEL SECURITY;
ALTER TABLE proxy FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON proxy USING (visible_tenant(tenant)) WITH CHECK (visible_tenant(tenant));

-- Keys that the tokens of proxies are signed with. The newest signs, all verify.
CREATE TABLE signing_key (
    id         text        PRIMARY KEY COLLATE "C",
    secret     bytea       NOT NULL CHECK (length(secret) = 32),
    created_at timestamptz NOT NULL DEFAULT now()
);
