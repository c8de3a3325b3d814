import Postgres

/// Every table whose rows belong to tenants, and how a row of it is made.
enum TenantTable: String, CaseIterable {
    case analysisMeasurement = "analysis_measurement"
    case analysisRun = "analysis_run"
    case apiKey = "api_key"
    case auditEvent = "audit_event"
    case change
    case conditionChange = "condition_change"
    case objectCondition = "object_condition"
    case conditionState = "condition_state"
    case departedProxy = "departed_proxy"
    case forgottenProxy = "forgotten_proxy"
    case freezeOccurrence = "freeze_occurrence"
    case freezeSchedule = "freeze_schedule"
    case idempotentCall = "idempotent_call"
    case mesh
    // Before the objects, which take theirs along.
    case reference
    case sealedValue = "sealed_value"
    // After what it has sealed.
    case dataKey = "data_key"
    case object
    case operation
    case outbox
    case outboxChannel = "outbox_channel"
    case proxy
    case proxyFeed = "proxy_feed"
    case release
    case releaseEvent = "release_event"
    case traffic
    case trafficCoverage = "traffic_coverage"

    var name: SQLIdentifier { SQLIdentifier(rawValue) }

    /// What rows of others belong to; in this order.
    static let parents = [TenantTable.mesh, .conditionState, .dataKey, .object, .analysisRun]

    /// Those whose rows belong to one of ``parents``.
    static let children: Set<TenantTable> = [
        .change, .conditionState, .conditionChange, .objectCondition, .reference, .analysisMeasurement, .sealedValue,
        .dataKey, .outbox, .outboxChannel,
    ]

    /// Inserts a row of the tenant; there must be rows of ``parents``.
    func insertion(tenant: String) -> Statement {
        switch self {
        case .analysisRun:
            """
            INSERT INTO analysis_run (tenant, release, id, mesh, namespace, name, started_at, document)
            VALUES (\(tenant), '00000000-0000-0000-0000-000000000001', 'r', 'default', 'shop', 'cart-v2', now(), '{}')
            """
        case .analysisMeasurement:
            """
            INSERT INTO analysis_measurement (tenant, release, run, metric, template, k, at, document)
            VALUES (\(tenant), '00000000-0000-0000-0000-000000000001', 'r', 'm', 't', 0, now(), '{}')
            """
        case .apiKey:
            """
            INSERT INTO api_key (tenant, id, secret_hash, prefix, role)
            VALUES (\(tenant), 'ci', sha256(\(tenant)::bytea), 'slk_ci_', 'viewer')
            """
        case .auditEvent:
            """
            INSERT INTO audit_event (tenant, actor, request_id, action, kind, mesh, namespace, service, name, revision)
            VALUES (\(tenant), 'a', 'r', 'put', 'Service', 'default', 'shop', '', 'cart', 1)
            """
        case .change:
            """
            INSERT INTO change (tenant, mesh, revision, kind, namespace, service, name, deleted)
            VALUES (\(tenant), 'default', 1, 'Service', 'shop', '', 'cart', false)
            """
        case .conditionChange:
            """
            INSERT INTO condition_change (tenant, mesh, kind, namespace, service, name, sequence)
            VALUES (\(tenant), 'default', 'Service', 'shop', '', 'cart', 1)
            """
        case .objectCondition:
            """
            INSERT INTO object_condition (tenant, mesh, kind, namespace, service, name, source, position, uid, subject,
                                          revision, type, status, reason, pointer, message, since)
            VALUES (\(tenant), 'default', 'Service', 'shop', '', 'cart', 's', 0, gen_random_uuid(), '', 1, 'Accepted',
                    false, 'Conflict', '', '', now())
            """
        case .conditionState:
            """
            INSERT INTO condition_state (tenant, mesh, writer, lease_until) VALUES (\(tenant), 'default', 'r', now())
            """
        case .dataKey:
            """
            INSERT INTO data_key (tenant, id, mesh, tenant_uid, wrapped_by, wrapped, is_current)
            VALUES (\(tenant), 'k', 'default', gen_random_uuid(), 'kek', '', true)
            """
        case .departedProxy:
            "INSERT INTO departed_proxy (tenant, mesh, namespace, name, said_at) VALUES (\(tenant), 'default', 'shop', 'cart-1', now())"
        case .forgottenProxy:
            """
            INSERT INTO forgotten_proxy (tenant, mesh, revision, namespace, name)
            VALUES (\(tenant), 'default', 1, 'shop', 'cart-1')
            """
        case .freezeOccurrence:
            """
            INSERT INTO freeze_occurrence (tenant, mesh, namespace, name, starts_at, blocks, services)
            VALUES (\(tenant), 'default', 'shop', 'w', now(), '{start}', '{}')
            """
        case .freezeSchedule:
            """
            INSERT INTO freeze_schedule (tenant, mesh, namespace, name, known_until, extend_at, blocks, services)
            VALUES (\(tenant), 'default', 'shop', 'w', now(), now(), '{start}', '{}')
            """
        case .idempotentCall:
            """
            INSERT INTO idempotent_call (tenant, scope, key, request_hash, status, headers, body)
            VALUES (\(tenant), 's', 'k', '', 200, '{}', '')
            """
        case .mesh: "INSERT INTO mesh (tenant, mesh) VALUES (\(tenant), 'default')"
        case .object:
            """
            INSERT INTO object (tenant, kind, mesh, namespace, service, name, revision, spec)
            VALUES (\(tenant), 'Service', 'default', 'shop', '', 'cart', 1, '{}')
            """
        case .operation:
            """
            INSERT INTO operation (tenant, verb, target, done, metadata) VALUES (\(tenant), 'v', 't', true, '{}')
            """
        case .outbox:
            """
            INSERT INTO outbox (tenant, mesh, namespace, channel, release, dedupe_key, document)
            VALUES (\(tenant), 'default', 'shop', 'ops', gen_random_uuid(), 'd', '{}')
            """
        case .outboxChannel:
            "INSERT INTO outbox_channel (tenant, mesh, namespace, channel) VALUES (\(tenant), 'default', 'shop', 'ops')"
        case .proxy:
            """
            INSERT INTO proxy (tenant, mesh, namespace, name, replica, connected, connected_at, acked_revision, types)
            VALUES (\(tenant), 'default', 'shop', 'cart-1', 'r', true, now(), 1, '{}')
            """
        case .proxyFeed: "INSERT INTO proxy_feed (tenant, mesh, revision) VALUES (\(tenant), 'default', 1)"
        case .reference:
            """
            INSERT INTO reference (tenant, kind, mesh, namespace, service, name, position, pointer, to_kind, to_mesh,
                                   to_namespace, to_service, to_name, part, strength)
            VALUES (\(tenant), 'Service', 'default', 'shop', '', 'cart', 0, '/spec', 'Cluster', '', '', '', 'dev', '', 'weak')
            """
        case .release:
            """
            INSERT INTO release (tenant, mesh, namespace, name, service, port)
            VALUES (\(tenant), 'default', 'shop', 'cart-v2', 'cart', 80)
            """
        case .releaseEvent:
            """
            INSERT INTO release_event (tenant, release, dedupe_key, type, actor, payload, at)
            VALUES (\(tenant), gen_random_uuid(), 'd', 'Started', 'a', '{}', now())
            """
        case .sealedValue:
            """
            INSERT INTO sealed_value (tenant, kind, mesh, namespace, service, name, field, data_key, sealed)
            VALUES (\(tenant), 'Service', 'default', 'shop', '', 'cart', 'f', 'k', '')
            """
        case .traffic:
            """
            INSERT INTO traffic (tenant, mesh, span, slot, host, writer, samples)
            VALUES (\(tenant), gen_random_uuid(), 10, 1, 'h', 'w', '')
            """
        case .trafficCoverage:
            """
            INSERT INTO traffic_coverage (tenant, mesh, slot, writer, connected, reporting, overflowed, is_last)
            VALUES (\(tenant), gen_random_uuid(), 1, 'w', 1, 1, 0, false)
            """
        }
    }
}
