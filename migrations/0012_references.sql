-- Which objects name which: what `ResourceKind.references` answers for the specs that are stored, so that questions across objects
-- need not read all of them. Rows are written with their object; `references_generation` and `references_version` tell for which
-- generation of it and by which version of the function, so that rows of an object that another version of the server has
-- written are not gone by, and made anew.
ALTER TABLE object
    ADD COLUMN references_generation bigint  NOT NULL DEFAULT 0,
    ADD COLUMN references_version    integer NOT NULL DEFAULT 0;

CREATE TABLE reference (
    tenant       dns_label  NOT NULL,
    kind         text       NOT NULL COLLATE "C",
    mesh         scope_part NOT NULL,
    namespace    scope_part NOT NULL,
    service      scope_part NOT NULL,
    name         dns_label  NOT NULL,
    position     integer    NOT NULL,
    -- From the root of the object's document to what names the target.
    pointer      text       NOT NULL,
    to_kind      text       NOT NULL COLLATE "C",
    to_mesh      scope_part NOT NULL,
    to_namespace scope_part NOT NULL,
    to_service   scope_part NOT NULL,
    to_name      dns_label  NOT NULL,
    -- What of the target is named, for example `version/v1`; empty: all of it.
    part         text       NOT NULL,
    strength     text       NOT NULL,
    PRIMARY KEY (tenant, kind, mesh, namespace, service, name, position),
    FOREIGN KEY (tenant, kind, mesh, namespace, service, name) REFERENCES object ON DELETE CASCADE
);
-- Who names an object, in the order of a list of them.
CREATE INDEX reference_target ON reference (
    tenant, to_kind, to_mesh, to_namespace, to_service, to_name, kind, mesh, namespace, service, name, position);

-- Objects whose rows are not right. The version is `Reference.version`.
CREATE INDEX object_references ON object (tenant, kind, mesh, namespace, service, name)
    WHERE references_generation <> generation OR references_version < 1;

ALTER TABLE reference ENABLE ROW LEVEL SECURITY;
ALTER TABLE reference FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON reference USING (visible_tenant(tenant)) WITH CHECK (visible_tenant(tenant));
