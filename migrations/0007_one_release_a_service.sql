-- One active release a service, whatever its ports: a service has one stable version, which a release moves.
SELECT set_config('sluice.tenant', '*', true);

-- Nothing reads it any more; servers of before still write it.
ALTER TABLE release ALTER COLUMN port DROP NOT NULL;

-- Was active beside another release of its service when this was not refused yet: it may go on to its end.
ALTER TABLE release ADD COLUMN beside boolean NOT NULL DEFAULT false;
UPDATE release r SET beside = true
 WHERE r.active AND EXISTS (
    SELECT 1 FROM release first
     WHERE (first.tenant, first.mesh, first.namespace, first.service) = (r.tenant, r.mesh, r.namespace, r.service)
       AND first.active AND first.name < r.name);

DROP INDEX release_one_active;
CREATE UNIQUE INDEX release_one_active ON release (tenant, mesh, namespace, service) WHERE active AND NOT beside;
