-- What releases tell channels: written with the events that they tell of, delivered afterwards.

-- One row a channel that was ever told something: whoever delivers to it holds its lease, so that a channel is told everything in
-- order, and one that hangs holds up no other.
CREATE TABLE outbox_channel (
    tenant       dns_label   NOT NULL,
    mesh         dns_label   NOT NULL,
    namespace    dns_label   NOT NULL,
    channel      dns_label   NOT NULL,
    -- Grows with every message. Who has delivered everything and finds another number than at the claim has not.
    written      bigint      NOT NULL DEFAULT 0,
    -- When something can be delivered; NULL: there is nothing.
    next_at      timestamptz,
    -- Deliveries of the oldest message that failed.
    attempts     integer     NOT NULL DEFAULT 0,
    -- Messages that were sent in the minute that began then.
    minute_began timestamptz NOT NULL DEFAULT now(),
    sent         integer     NOT NULL DEFAULT 0,
    lease_epoch  bigint      NOT NULL DEFAULT 0,
    lease_until  timestamptz,
    PRIMARY KEY (tenant, mesh, namespace, channel),
    FOREIGN KEY (tenant, mesh) REFERENCES mesh ON DELETE CASCADE
);
CREATE INDEX outbox_channel_due ON outbox_channel (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE outbox (
    tenant     dns_label   NOT NULL,
    mesh       dns_label   NOT NULL,
    namespace  dns_label   NOT NULL,
    channel    dns_label   NOT NULL,
    sequence   bigint      GENERATED ALWAYS AS IDENTITY,
    release    uuid        NOT NULL,
    -- The event's, with release and channel: what the receiver knows a message by that comes twice.
    dedupe_key text        NOT NULL COLLATE "C",
    document   jsonb       NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    -- Messages that are sent as one: the first one's sequence. Written before they are sent, so that they are sent again as the same one.
    digest     bigint,
    -- When it was delivered or given up; NULL: neither.
    done_at    timestamptz,
    -- Why it was given up.
    failure    text,
    PRIMARY KEY (tenant, mesh, namespace, channel, sequence),
    UNIQUE (tenant, dedupe_key),
    FOREIGN KEY (tenant, mesh) REFERENCES mesh ON DELETE CASCADE
);
CREATE INDEX outbox_waiting ON outbox (tenant, mesh, namespace, channel, sequence) WHERE done_at IS NULL;
CREATE INDEX outbox_age ON outbox (done_at) WHERE done_at IS NOT NULL;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['outbox', 'outbox_channel'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I USING (visible_tenant(tenant)) WITH CHECK (visible_tenant(tenant))', name);
    END LOOP;
END $$;
