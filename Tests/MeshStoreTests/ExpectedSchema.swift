/// The schema as the code expects it, in the words of ``Catalog``. Whoever adds a migration changes this with it.
enum ExpectedSchema {
    static let columns = """
        analysis_measurement.tenant dns_label not null
        analysis_measurement.release uuid not null
        analysis_measurement.run text not null
        analysis_measurement.metric text not null
        analysis_measurement.template text not null
        analysis_measurement.k integer not null
        analysis_measurement.at timestamp with time zone not null
        analysis_measurement.document jsonb not null
        analysis_run.tenant dns_label not null
        analysis_run.release uuid not null
        analysis_run.id text not null
        analysis_run.mesh dns_label not null
        analysis_run.namespace dns_label not null
        analysis_run.name dns_label not null
        analysis_run.started_at timestamp with time zone not null
        analysis_run.document jsonb not null
        analysis_run.next_due_at timestamp with time zone
        analysis_run.lease_epoch bigint not null default 0
        analysis_run.lease_until timestamp with time zone
        api_key.tenant dns_label not null
        api_key.id text not null
        api_key.secret_hash bytea not null
        api_key.prefix text not null
        api_key.role text not null
        api_key.meshes text[] not null default '{}'::text[]
        api_key.namespaces text[] not null default '{}'::text[]
        api_key.description text not null default ''::text
        api_key.created_at timestamp with time zone not null default now()
        api_key.expires_at timestamp with time zone
        api_key.owner text
        api_key.groups text[] not null default '{}'::text[]
        audit_event.sequence bigint not null identity
        audit_event.tenant dns_label not null
        audit_event.actor text not null
        audit_event.request_id text not null
        audit_event.action text not null
        audit_event.kind text not null
        audit_event.mesh scope_part not null
        audit_event.namespace scope_part not null
        audit_event.service scope_part not null
        audit_event.name dns_label not null
        audit_event.revision bigint not null
        audit_event.at timestamp with time zone not null default now()
        change.tenant dns_label not null
        change.mesh scope_part not null
        change.revision bigint not null
        change.kind text not null
        change.namespace scope_part not null
        change.service scope_part not null
        change.name dns_label not null
        change.deleted boolean not null
        change.at timestamp with time zone not null default now()
        condition_change.tenant dns_label not null
        condition_change.mesh dns_label not null
        condition_change.kind text not null
        condition_change.namespace dns_label not null
        condition_change.service scope_part not null
        condition_change.name dns_label not null
        condition_change.sequence bigint not null
        condition_change.at timestamp with time zone not null default now()
        condition_state.tenant dns_label not null
        condition_state.mesh dns_label not null
        condition_state.revision bigint not null default 0
        condition_state.sequence bigint not null default 0
        condition_state.writer text not null
        condition_state.lease_until timestamp with time zone not null
        data_key.tenant dns_label not null
        data_key.id text not null
        data_key.mesh scope_part not null default ''::text
        data_key.tenant_uid uuid not null
        data_key.wrapped_by text not null
        data_key.wrapped bytea not null
        data_key.is_current boolean not null
        data_key.created_at timestamp with time zone not null default now()
        departed_proxy.tenant dns_label not null
        departed_proxy.mesh dns_label not null
        departed_proxy.namespace dns_label not null
        departed_proxy.name dns_label not null
        departed_proxy.said_at timestamp with time zone
        departed_proxy.unregistered_at timestamp with time zone
        forgotten_proxy.tenant dns_label not null
        forgotten_proxy.mesh dns_label not null
        forgotten_proxy.revision bigint not null
        forgotten_proxy.namespace dns_label not null
        forgotten_proxy.name dns_label not null
        forgotten_proxy.at timestamp with time zone not null default now()
        freeze_occurrence.tenant dns_label not null
        freeze_occurrence.mesh dns_label not null
        freeze_occurrence.namespace dns_label not null
        freeze_occurrence.name dns_label not null
        freeze_occurrence.starts_at timestamp with time zone not null
        freeze_occurrence.ends_at timestamp with time zone
        freeze_occurrence.blocks text[] not null
        freeze_occurrence.services text[] not null
        freeze_schedule.tenant dns_label not null
        freeze_schedule.mesh dns_label not null
        freeze_schedule.namespace dns_label not null
        freeze_schedule.name dns_label not null
        freeze_schedule.known_until timestamp with time zone not null
        freeze_schedule.extend_at timestamp with time zone not null
        freeze_schedule.epoch bigint not null default 0
        freeze_schedule.lease_until timestamp with time zone
        freeze_schedule.blocks text[] not null
        freeze_schedule.services text[] not null
        idempotent_call.tenant dns_label not null
        idempotent_call.scope text not null
        idempotent_call.key text not null
        idempotent_call.request_hash bytea not null
        idempotent_call.status integer not null
        idempotent_call.headers jsonb not null
        idempotent_call.body bytea not null
        idempotent_call.at timestamp with time zone not null default now()
        mesh.tenant dns_label not null
        mesh.mesh scope_part not null
        mesh.revision bigint not null default 0
        mesh.compacted bigint not null default 0
        mesh.uid uuid not null default gen_random_uuid()
        mesh.created_at timestamp with time zone not null default now()
        object.tenant dns_label not null
        object.kind text not null
        object.mesh scope_part not null
        object.namespace scope_part not null
        object.service scope_part not null
        object.name dns_label not null
        object.uid uuid not null default gen_random_uuid()
        object.generation bigint not null default 1
        object.revision bigint not null
        object.labels jsonb not null default '{}'::jsonb
        object.annotations jsonb not null default '{}'::jsonb
        object.spec jsonb not null
        object.status jsonb not null default '{}'::jsonb
        object.created_at timestamp with time zone not null default now()
        object.updated_at timestamp with time zone not null default now()
        object.sidecar text generated CASE WHEN (kind = 'Endpoint'::text) THEN (spec #>> '{sidecar,proxy}'::text[]) ELSE NULL::text END
        object.size integer not null generated (((octet_length((labels)::text) + octet_length((annotations)::text)) + octet_length((spec)::text)) + octet_length((status)::text))
        object.references_generation bigint not null default 0
        object.references_version integer not null default 0
        object_condition.tenant dns_label not null
        object_condition.mesh dns_label not null
        object_condition.kind text not null
        object_condition.namespace dns_label not null
        object_condition.service scope_part not null
        object_condition.name dns_label not null
        object_condition.source text not null
        object_condition.position integer not null
        object_condition.uid uuid not null
        object_condition.subject text not null
        object_condition.revision bigint not null
        object_condition.type text not null
        object_condition.status boolean not null
        object_condition.reason text not null
        object_condition.pointer text not null
        object_condition.message text not null
        object_condition.other jsonb
        object_condition.since timestamp with time zone not null
        operation.tenant dns_label not null
        operation.id uuid not null default gen_random_uuid()
        operation.verb text not null
        operation.target text not null
        operation.done boolean not null
        operation.metadata jsonb not null
        operation.error jsonb
        operation.response jsonb
        operation.created_at timestamp with time zone not null default now()
        operation.updated_at timestamp with time zone not null default now()
        outbox.tenant dns_label not null
        outbox.mesh dns_label not null
        outbox.namespace dns_label not null
        outbox.channel dns_label not null
        outbox.sequence bigint not null identity
        outbox.release uuid not null
        outbox.dedupe_key text not null
        outbox.document jsonb not null
        outbox.at timestamp with time zone not null default now()
        outbox.digest bigint
        outbox.done_at timestamp with time zone
        outbox.failure text
        outbox_channel.tenant dns_label not null
        outbox_channel.mesh dns_label not null
        outbox_channel.namespace dns_label not null
        outbox_channel.channel dns_label not null
        outbox_channel.written bigint not null default 0
        outbox_channel.next_at timestamp with time zone
        outbox_channel.attempts integer not null default 0
        outbox_channel.minute_began timestamp with time zone not null default now()
        outbox_channel.sent integer not null default 0
        outbox_channel.lease_epoch bigint not null default 0
        outbox_channel.lease_until timestamp with time zone
        proxy.tenant dns_label not null
        proxy.mesh dns_label not null
        proxy.namespace dns_label not null
        proxy.name dns_label not null
        proxy.replica text not null
        proxy.connected boolean not null
        proxy.connected_at timestamp with time zone not null
        proxy.acked_revision bigint not null
        proxy.rejected_revision bigint
        proxy.rejected_message text
        proxy.types jsonb not null
        proxy.updated_at timestamp with time zone not null default now()
        proxy.client jsonb not null default '{}'::jsonb
        proxy.revision bigint not null default 1
        proxy.first_revision bigint not null default 1
        proxy.answered_revision bigint not null default 0
        proxy.routed text[]
        proxy.refused text[]
        proxy.opened_at timestamp with time zone not null default now()
        proxy.ended_at timestamp with time zone
        proxy.peer text not null default ''::text
        proxy.contested_at timestamp with time zone
        proxy.stats_at timestamp with time zone
        proxy.loads_at timestamp with time zone
        proxy_feed.tenant dns_label not null
        proxy_feed.mesh dns_label not null
        proxy_feed.revision bigint not null
        proxy_feed.compacted bigint not null default 0
        reference.tenant dns_label not null
        reference.kind text not null
        reference.mesh scope_part not null
        reference.namespace scope_part not null
        reference.service scope_part not null
        reference.name dns_label not null
        reference.position integer not null
        reference.pointer text not null
        reference.to_kind text not null
        reference.to_mesh scope_part not null
        reference.to_namespace scope_part not null
        reference.to_service scope_part not null
        reference.to_name dns_label not null
        reference.part text not null
        reference.strength text not null
        release.tenant dns_label not null
        release.mesh dns_label not null
        release.namespace dns_label not null
        release.name dns_label not null
        release.service dns_label not null
        release.port integer
        release.active boolean not null default false
        release.row_version bigint not null default 1
        release.lease_owner text
        release.lease_epoch bigint not null default 0
        release.lease_until timestamp with time zone
        release.next_wakeup_at timestamp with time zone
        release.last_driven_at timestamp with time zone
        release.beside boolean not null default false
        release.analysis jsonb
        release_event.sequence bigint not null identity
        release_event.tenant dns_label not null
        release_event.release uuid not null
        release_event.dedupe_key text not null
        release_event.type text not null
        release_event.actor text not null
        release_event.payload jsonb not null
        release_event.at timestamp with time zone not null
        replica.id text not null
        replica.heartbeat_at timestamp with time zone not null default now()
        replica.is_lost boolean not null default false
        replica.up_since timestamp with time zone not null default now()
        replica.has_ended boolean not null default false
        schema_addition.name text not null
        schema_addition.checksum text not null
        schema_addition.applied_at timestamp with time zone not null default now()
        schema_migration.name text not null
        schema_migration.checksum text not null
        schema_migration.applied_at timestamp with time zone not null default now()
        sealed_value.tenant dns_label not null
        sealed_value.kind text not null
        sealed_value.mesh scope_part not null
        sealed_value.namespace scope_part not null
        sealed_value.service scope_part not null
        sealed_value.name dns_label not null
        sealed_value.field text not null
        sealed_value.data_key text not null
        sealed_value.sealed bytea not null
        signing_key.id text not null
        signing_key.secret bytea not null
        signing_key.created_at timestamp with time zone not null default now()
        traffic.tenant text not null
        traffic.mesh uuid not null
        traffic.span integer not null
        traffic.slot bigint not null
        traffic.host text not null
        traffic.writer text not null
        traffic.samples bytea not null
        traffic_coverage.tenant text not null
        traffic_coverage.mesh uuid not null
        traffic_coverage.slot bigint not null
        traffic_coverage.writer text not null
        traffic_coverage.connected integer not null default 0
        traffic_coverage.reporting integer not null default 0
        traffic_coverage.overflowed integer not null
        traffic_coverage.is_last boolean not null default false
        traffic_coverage.reporters text[] not null default '{}'::text[]
        traffic_rollup.span integer not null
        traffic_rollup.through bigint not null
        traffic_rollup.lease_until timestamp with time zone not null
        """

    static let constraints = #"""
        analysis_measurement: FOREIGN KEY (tenant, release, run) REFERENCES analysis_run(tenant, release, id) ON DELETE CASCADE
        analysis_measurement: PRIMARY KEY (tenant, release, run, template, metric, k)
        analysis_run: PRIMARY KEY (tenant, release, id)
        api_key: CHECK ((length(secret_hash) = 32))
        api_key: PRIMARY KEY (tenant, id)
        api_key: UNIQUE (secret_hash)
        audit_event: CHECK ((action = ANY (ARRAY['put'::text, 'putStatus'::text, 'delete'::text])))
        audit_event: PRIMARY KEY (tenant, sequence)
        change: FOREIGN KEY (tenant, mesh) REFERENCES mesh(tenant, mesh) ON DELETE CASCADE
        change: PRIMARY KEY (tenant, mesh, revision, kind, namespace, service, name)
        condition_change: FOREIGN KEY (tenant, mesh) REFERENCES condition_state(tenant, mesh) ON DELETE CASCADE
        condition_change: PRIMARY KEY (tenant, mesh, kind, namespace, service, name)
        condition_state: CHECK ((revision >= 0))
        condition_state: CHECK ((sequence >= 0))
        condition_state: FOREIGN KEY (tenant, mesh) REFERENCES mesh(tenant, mesh) ON DELETE CASCADE
        condition_state: PRIMARY KEY (tenant, mesh)
        data_key: FOREIGN KEY (tenant, mesh) REFERENCES mesh(tenant, mesh) ON DELETE CASCADE
        data_key: PRIMARY KEY (tenant, id)
        departed_proxy: PRIMARY KEY (tenant, mesh, namespace, name)
        dns_label: CHECK ((VALUE ~ '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$'::text))
        forgotten_proxy: PRIMARY KEY (tenant, mesh, revision, namespace, name)
        freeze_occurrence: CHECK ((ends_at > starts_at))
        freeze_occurrence: PRIMARY KEY (tenant, mesh, namespace, name, starts_at)
        freeze_schedule: PRIMARY KEY (tenant, mesh, namespace, name)
        idempotent_call: CHECK (((length(key) >= 1) AND (length(key) <= 255)))
        idempotent_call: CHECK (((status >= 200) AND (status <= 599)))
        idempotent_call: PRIMARY KEY (tenant, scope, key)
        mesh: CHECK ((compacted >= 0))
        mesh: CHECK ((revision >= 0))
        mesh: PRIMARY KEY (tenant, mesh)
        object: CHECK ((generation > 0))
        object: CHECK ((jsonb_typeof(annotations) = 'object'::text))
        object: CHECK ((jsonb_typeof(labels) = 'object'::text))
        object: CHECK ((jsonb_typeof(spec) = 'object'::text))
        object: CHECK ((jsonb_typeof(status) = 'object'::text))
        object: CHECK ((kind ~ '^[A-Z][A-Za-z]{0,62}$'::text))
        object: CHECK ((revision > 0))
        object: PRIMARY KEY (tenant, kind, mesh, namespace, service, name)
        object_condition: FOREIGN KEY (tenant, mesh) REFERENCES condition_state(tenant, mesh) ON DELETE CASCADE
        object_condition: PRIMARY KEY (tenant, mesh, kind, namespace, service, name, source, "position")
        operation: PRIMARY KEY (tenant, id)
        outbox: FOREIGN KEY (tenant, mesh) REFERENCES mesh(tenant, mesh) ON DELETE CASCADE
        outbox: PRIMARY KEY (tenant, mesh, namespace, channel, sequence)
        outbox: UNIQUE (tenant, dedupe_key)
        outbox_channel: FOREIGN KEY (tenant, mesh) REFERENCES mesh(tenant, mesh) ON DELETE CASCADE
        outbox_channel: PRIMARY KEY (tenant, mesh, namespace, channel)
        proxy: PRIMARY KEY (tenant, mesh, namespace, name)
        proxy_feed: CHECK ((compacted >= 0))
        proxy_feed: CHECK ((revision > 0))
        proxy_feed: PRIMARY KEY (tenant, mesh)
        reference: FOREIGN KEY (tenant, kind, mesh, namespace, service, name) REFERENCES object(tenant, kind, mesh, namespace, service, name) ON DELETE CASCADE
        reference: PRIMARY KEY (tenant, kind, mesh, namespace, service, name, "position")
        release: CHECK (((port >= 1) AND (port <= 65535)))
        release: PRIMARY KEY (tenant, mesh, namespace, name)
        release_event: PRIMARY KEY (tenant, release, sequence)
        release_event: UNIQUE (tenant, release, dedupe_key)
        replica: PRIMARY KEY (id)
        schema_addition: PRIMARY KEY (name)
        schema_migration: PRIMARY KEY (name)
        scope_part: CHECK (((VALUE = ''::text) OR (VALUE ~ '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$'::text)))
        sealed_value: FOREIGN KEY (tenant, data_key) REFERENCES data_key(tenant, id)
        sealed_value: FOREIGN KEY (tenant, kind, mesh, namespace, service, name) REFERENCES object(tenant, kind, mesh, namespace, service, name) ON DELETE CASCADE
        sealed_value: PRIMARY KEY (tenant, kind, mesh, namespace, service, name, field)
        signing_key: CHECK ((length(secret) = 32))
        signing_key: PRIMARY KEY (id)
        traffic: CHECK ((span > 0))
        traffic: PRIMARY KEY (tenant, mesh, host, span, slot, writer)
        traffic_coverage: PRIMARY KEY (tenant, mesh, slot, writer)
        traffic_rollup: PRIMARY KEY (span)
        """#

    static let indexes = """
        CREATE INDEX analysis_measurement_time ON public.analysis_measurement USING btree (at)
        CREATE INDEX analysis_run_due ON public.analysis_run USING btree (next_due_at) WHERE (next_due_at IS NOT NULL)
        CREATE INDEX condition_change_order ON public.condition_change USING btree (tenant, mesh, sequence)
        CREATE INDEX endpoint_of_proxy ON public.object USING btree (tenant, mesh, namespace, sidecar) WHERE (sidecar IS NOT NULL)
        CREATE INDEX freeze_occurrence_age ON public.freeze_occurrence USING btree (ends_at)
        CREATE INDEX freeze_occurrence_begun ON public.freeze_occurrence USING btree (tenant, mesh, namespace, starts_at)
        CREATE INDEX freeze_schedule_due ON public.freeze_schedule USING btree (extend_at)
        CREATE INDEX idempotent_call_age ON public.idempotent_call USING btree (at)
        CREATE INDEX object_labels ON public.object USING gin (labels jsonb_path_ops)
        CREATE INDEX object_of_mesh ON public.object USING btree (tenant, mesh)
        CREATE INDEX object_references ON public.object USING btree (tenant, kind, mesh, namespace, service, name) WHERE ((references_generation <> generation) OR (references_version < 1))
        CREATE INDEX outbox_age ON public.outbox USING btree (done_at) WHERE (done_at IS NOT NULL)
        CREATE INDEX outbox_channel_due ON public.outbox_channel USING btree (next_at) WHERE (next_at IS NOT NULL)
        CREATE INDEX outbox_waiting ON public.outbox USING btree (tenant, mesh, namespace, channel, sequence) WHERE (done_at IS NULL)
        CREATE INDEX proxy_of_replica ON public.proxy USING btree (replica)
        CREATE INDEX proxy_rejecting ON public.proxy USING btree (tenant, mesh) WHERE (rejected_revision IS NOT NULL)
        CREATE INDEX reference_target ON public.reference USING btree (tenant, to_kind, to_mesh, to_namespace, to_service, to_name, kind, mesh, namespace, service, name, "position")
        CREATE INDEX release_due ON public.release USING btree (next_wakeup_at) WHERE (next_wakeup_at IS NOT NULL)
        CREATE INDEX sealed_value_key ON public.sealed_value USING btree (tenant, data_key)
        CREATE INDEX traffic_age ON public.traffic USING btree (span, slot)
        CREATE INDEX traffic_coverage_age ON public.traffic_coverage USING btree (slot)
        CREATE UNIQUE INDEX data_key_current ON public.data_key USING btree (tenant) WHERE is_current
        CREATE UNIQUE INDEX release_one_active ON public.release USING btree (tenant, mesh, namespace, service) WHERE (active AND (NOT beside))
        """
}
