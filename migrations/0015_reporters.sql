-- Which sidecars have reported, and not how many: who calls a service is known when it is measured, and who was to report with it.

ALTER TABLE traffic_coverage
    -- Of the namespaces and names of the sidecars whose reports of this slot came to this writer: `shop/reviews-1`.
    ADD COLUMN reporters text[] NOT NULL DEFAULT '{}',
    -- Written by the version before, and read by nobody.
    ALTER COLUMN connected SET DEFAULT 0,
    ALTER COLUMN reporting SET DEFAULT 0,
    ALTER COLUMN is_last SET DEFAULT false;

-- Runs go with their release, and their measurements with them.
CREATE FUNCTION forget_analysis() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM analysis_run WHERE tenant = OLD.tenant AND release = OLD.uid;
    RETURN NULL;
END
$$;
CREATE TRIGGER forget_analysis AFTER DELETE ON object FOR EACH ROW WHEN (OLD.kind = 'Release') EXECUTE FUNCTION forget_analysis();

-- All measurements of a release go when it has ended long enough ago, whatever they said.
CREATE INDEX analysis_measurement_time ON analysis_measurement (at);
DROP INDEX analysis_measurement_age;
