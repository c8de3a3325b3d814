package import MeshCore
internal import MeshModel
internal import Postgres

/// A proxy from which reports are expected, if it calls.
package struct ExpectedReporter: Hashable, Sendable {
    package var name: NamespacedName
    /// The service that it stands before, or that calls through it; `nil`: it is not known.
    package var service: NamespacedName?
    /// Since when it has the stream that it has.
    package var since: Timestamp

    package init(name: NamespacedName, service: NamespacedName?, since: Timestamp) {
        self.name = name
        self.service = service
        self.since = since
    }
}

extension MeshStore {
    /// The proxies of a mesh that are connected, to replicas of whichever version, and are sent the clusters of a service.
    ///
    /// Those of a replica that has fallen silent count for a while longer than elsewhere: what they reported last may be lost with
    /// it, and they need time to find another one.
    ///
    /// - Parameter service: `nil`: a host that is no service's, which whoever sees it may call.
    package func expectedReporters(
        of service: NamespacedName?, in mesh: MeshKey
    ) async throws(StoreError) -> [ExpectedReporter] {
        let seconds = Double((Self.replicaLifetime + Self.lossTime).components.seconds)
        var statement: Statement = """
            SELECT p.namespace, p.name, p.client ->> 'service' AS service, p.opened_at
              FROM proxy p JOIN replica r ON r.id = p.replica
             WHERE p.tenant = \(mesh.tenant.text) AND p.mesh = \(mesh.mesh.text) AND p.connected AND NOT r.has_ended
               AND r.heartbeat_at > now() - make_interval(secs => \(seconds))
            """
        if let service { statement.append(" AND (p.routed IS NULL OR \("\(service)") = ANY (p.routed))") }
        return try await rows(statement, seeing: .tenant(mesh.tenant)).all { row throws(PostgresError) in
            let name = NamespacedName(namespace: try row.name("namespace"), name: try row.name("name"))
            let service = (try row["service"] as String?).flatMap(Name.init)
            return ExpectedReporter(
                name: name, service: service.map { NamespacedName(namespace: name.namespace, name: $0) },
                since: try row.time("opened_at"))
        }
    }

    /// How long a sidecar of a replica that was lost may take to report to another one.
    private static let lossTime = Duration.seconds(60)

    /// The slots of ten seconds that some sidecars have reported of, by namespace and name, to whichever replica.
    package func reportedSlots(
        of mesh: TrafficMesh, by names: [NamespacedName], _ slots: Range<Int64>
    ) async throws(StoreError) -> [NamespacedName: Set<Int64>] {
        let texts = names.map(\.description)
        let found = try await rows(
            """
            SELECT reporter.place, array_agg(DISTINCT c.slot) AS slots
              FROM traffic_coverage c
              CROSS JOIN unnest(c.reporters) AS name
              JOIN unnest(\(texts)::text[]) WITH ORDINALITY AS reporter (name, place) USING (name)
             WHERE c.tenant = \(mesh.tenant.text) AND c.mesh = \(mesh.uid)::text::uuid
               AND c.slot >= \(slots.lowerBound) AND c.slot < \(slots.upperBound)
             GROUP BY reporter.place
            """, seeing: .tenant(mesh.tenant)
        ).all { row throws(PostgresError) -> (Int64, [Int64]) in (try row["place"], try row["slots"]) }
        var reported: [NamespacedName: Set<Int64>] = [:]
        for (place, slots) in found where names.indices.contains(Int(place) - 1) {
            reported[names[Int(place) - 1]] = Set(slots)
        }
        return reported
    }

    /// Series that writers counted together with others in slots of ten seconds.
    package func overflowedSeries(of mesh: TrafficMesh, _ slots: Range<Int64>) async throws(StoreError) -> Int {
        try await rows(
            """
            SELECT coalesce(sum(overflowed), 0)::bigint AS count FROM traffic_coverage
             WHERE tenant = \(mesh.tenant.text) AND mesh = \(mesh.uid)::text::uuid
               AND slot >= \(slots.lowerBound) AND slot < \(slots.upperBound)
            """, seeing: .tenant(mesh.tenant)
        ).single { row throws(PostgresError) in try row["count"] }
    }

    /// The connected proxies of a mesh that report counts only (``ProxyTelemetry/countsOnly``): how many there are, and the first.
    package func proxiesWithCountsOnly(
        of mesh: MeshKey, naming limit: Int
    ) async throws(StoreError) -> (count: Int, names: [NamespacedName]) {
        let found = try await rows(
            """
            SELECT namespace, name, count(*) OVER () AS count FROM (
                SELECT p.namespace, p.name, \(Self.telemetry) AS telemetry
                  FROM proxy p JOIN replica r ON r.id = p.replica
                 WHERE p.tenant = \(mesh.tenant.text) AND p.mesh = \(mesh.mesh.text) AND \(Self.isConnected)) AS p
             WHERE telemetry = \(ProxyTelemetry.countsOnly.rawValue)
             ORDER BY namespace, name LIMIT \(limit)
            """, seeing: .tenant(mesh.tenant)
        ).all { row throws(PostgresError) -> (NamespacedName, Int) in
            (NamespacedName(namespace: try row.name("namespace"), name: try row.name("name")), try row["count"])
        }
        return (found.first?.1 ?? 0, found.map(\.0))
    }
}
