-- What releases measure: runs, as values that whoever is first brings forward, and their measurements.

-- Templates as they were at the start, with arguments in their places: what a run is made of.
ALTER TABLE release ADD COLUMN analysis jsonb;

CREATE TABLE analysis_run (
    tenant      dns_label   NOT NULL,
    -- Of the object, so that a re-created release begins without the old one's runs.
    release     uuid        NOT NULL,
    id          text        NOT NULL COLLATE "C",
    mesh        dns_label   NOT NULL,
    namespace   dns_label   NOT NULL,
    name        dns_label   NOT NULL,
    started_at  timestamptz NOT NULL,
    -- AnalysisRun in the program.
    document    jsonb       NOT NULL,
    -- When a window can be measured; NULL: not before the traffic changes, or never again.
    next_due_at timestamptz,
    -- Grows with every claim; a replica that was stopped and comes back finds another number and writes nothing.
    lease_epoch bigint      NOT NULL DEFAULT 0,
    lease_until timestamptz,
    PRIMARY KEY (tenant, release, id)
);
CREATE INDEX analysis_run_due ON analysis_run (next_due_at) WHERE next_due_at IS NOT NULL;

CREATE TABLE analysis_measurement (
    tenant   dns_label   NOT NULL,
    release  uuid        NOT NULL,
    run      text        NOT NULL COLLATE "C",
    metric   text        NOT NULL COLLATE "C",
    -- The template that the metric is of.
    template text        NOT NULL COLLATE "C",
    k        integer     NOT NULL,
    at       timestamptz NOT NULL,
    -- Measurement in the program: with everything that it takes to decide again.
    document jsonb       NOT NULL,
    PRIMARY KEY (tenant, release, run, template, metric, k),
    FOREIGN KEY (tenant, release, run) REFERENCES analysis_run ON DELETE CASCADE
);
CREATE INDEX analysis_measurement_age ON analysis_measurement (at) WHERE document ->> 'phase' = 'Successful';

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['analysis_run', 'analysis_measurement'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I USING (visible_tenant(tenant)) WITH CHECK (visible_tenant(tenant))', name);
    END LOOP;
END $$;
