-- Objects that clients write, the revisions they are written at, and the feed that replicas follow.

-- The tenant comes first in every key. Row-level security is the second lock behind the WHERE of every statement: a session
-- sees the rows of the tenant that it has named in sluice.tenant, or of all when it has named '*' (the replicas' own work).
CREATE FUNCTION visible_tenant(tenant text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN tenant = current_setting('sluice.tenant', true) OR current_setting('sluice.tenant', true) = '*';

CREATE DOMAIN dns_label AS text COLLATE "C"
    CHECK (VALUE ~ '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$');

-- Empty where a kind's scope has no such part: key columns cannot be null.
CREATE DOMAIN scope_part AS text COLLATE "C"
    CHECK (VALUE = '' OR VALUE ~ '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$');

-- The meshes of a tenant, and (mesh = '') what a tenant has outside of its meshes. A write raises the revision, and the
-- row's lock makes the revisions of one mesh follow the order of commits, so a reader of the feed can never miss one.
CREATE TABLE mesh (
    tenant    dns_label  NOT NULL,
    mesh      scope_part NOT NULL,
    revision  bigint     NOT NULL DEFAULT 0 CHECK (revision >= 0),
    -- The feed holds what came after this revision.
    compacted bigint     NOT NULL DEFAULT 0 CHECK (compacted >= 0),
    PRIMARY KEY (tenant, mesh)
);

-- One table for all kinds: they share envelope, preconditions, lists, feed and audit, and a new kind needs no migration.
-- What a kind needs beyond a document (a release's lease) stands in a table of its own.
CREATE TABLE object (
    tenant      dns_label   NOT NULL,
    kind        text        NOT NULL COLLATE "C" CHECK (kind ~ '^[A-Z][A-Za-z]{0,62}$'),
    mesh        scope_part  NOT NULL,
    namespace   scope_part  NOT NULL,
    service     scope_part  NOT NULL,
    name        dns_label   NOT NULL,
    uid         uuid        NOT NULL DEFAULT gen_random_uuid(),
    generation  bigint      NOT NULL DEFAULT 1 CHECK (generation > 0),
    revision    bigint      NOT NULL CHECK (revision > 0),
    labels      jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(labels) = 'object'),
    annotations jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(annotations) = 'object'),
    spec        jsonb       NOT NULL CHECK (jsonb_typeof(spec) = 'object'),
    status      jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(status) = 'object'),
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, kind, mesh, namespace, service, name)
);
-- Everything of one mesh, for a replica that begins to serve it.
CREATE INDEX object_of_mesh ON object (tenant, mesh);
CREATE INDEX object_labels ON object USING gin (labels jsonb_path_ops);

-- What changed at which revision; keys only, readers fetch the objects themselves.
CREATE TABLE change (
    tenant    dns_label   NOT NULL,
    mesh      scope_part  NOT NULL,
    revision  bigint      NOT NULL,
    kind      text        NOT NULL COLLATE "C",
    namespace scope_part  NOT NULL,
    service   scope_part  NOT NULL,
    name      dns_label   NOT NULL,
    deleted   boolean     NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, mesh, revision, kind, namespace, service, name),
    FOREIGN KEY (tenant, mesh) REFERENCES mesh ON DELETE CASCADE
);

-- Who did what; written in the transaction that does it.
CREATE TABLE audit_event (
    sequence   bigint      GENERATED ALWAYS AS IDENTITY,
    tenant     dns_label   NOT NULL,
    actor      text        NOT NULL,
    request_id text        NOT NULL,
    action     text        NOT NULL CHECK (action IN ('put', 'putStatus', 'delete')),
    kind       text        NOT NULL,
    mesh       scope_part  NOT NULL,
    namespace  scope_part  NOT NULL,
    service    scope_part  NOT NULL,
    name       dns_label   NOT NULL,
    revision   bigint      NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, sequence)
);

-- Answers to calls with an Idempotency-Key, kept for a day.
CREATE TABLE idempotent_call (
    tenant       dns_label   NOT NULL,
    scope        text        NOT NULL,
    key          text        NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_hash bytea       NOT NULL,
    status       integer     NOT NULL CHECK (status BETWEEN 200 AND 599),
    headers      jsonb       NOT NULL,
    body         bytea       NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, scope, key)
);
CREATE INDEX idempotent_call_age ON idempotent_call (at);

-- Long work: what was begun, how far it is, and what came of it.
CREATE TABLE operation (
    tenant     dns_label   NOT NULL,
    id         uuid        NOT NULL DEFAULT gen_random_uuid(),
    verb       text        NOT NULL,
    target     text        NOT NULL,
    done       boolean     NOT NULL,
    metadata   jsonb       NOT NULL,
    error      jsonb,
    response   jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, id)
);

-- Keys that people and scripts authenticate with. Only a hash of the secret is kept.
CREATE TABLE api_key (
    tenant      dns_label   NOT NULL,
    id          text        NOT NULL COLLATE "C",
    secret_hash bytea       NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
    prefix      text        NOT NULL,
    role        text        NOT NULL,
    meshes      text[]      NOT NULL DEFAULT '{}',
    namespaces  text[]      NOT NULL DEFAULT '{}',
    description text        NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz,
    PRIMARY KEY (tenant, id)
);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['mesh', 'object', 'change', 'audit_event', 'idempotent_call', 'operation', 'api_key'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        -- Also for the owner of the table, which is who the server is.
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I USING (visible_tenant(tenant)) WITH CHECK (visible_tenant(tenant))', name);
    END LOOP;
END $$;
