package import Documents
internal import GrayRelease
internal import MeshCore
package import MeshModel
internal import MeshStore
internal import MeshTelemetry

extension ControlPlane {
    /// How many of the last minute's requests to both versions of a release went to each, by what sidecars have counted since its
    /// traffic is in force.
    ///
    /// All requests to the versions count, also those of rules that the release does not split, and copies that mirrors make.
    ///
    /// - Returns: `{"canary", "stable", "low", "high", "samples", "window": {"from", "to"}, "coverage"}`, shares in basis points, the
    ///   canary's with its 95 % interval (Wilson); `nil`: the release has ended, its traffic is not in force, or nothing was counted.
    package func observedTraffic(of object: StoredObject) async throws -> JSONValue? {
        let status = ReleaseStatus(object.status)
        guard status.phase.isActive, let since = status.traffic.appliedAt, let mesh = object.key.meshKey,
            let namespace = object.key.namespace, let spec: ReleaseSpec = object.decodedSpec()
        else { return nil }
        return try await translatingErrors {
            guard let life = try await store.life(of: mesh) else { return nil }
            let span = TrafficSpan.tenSeconds
            let last = span.slot(of: try await store.now() - TrafficReport.knownAfter)
            let first = max(span.slot(of: since + TrafficReport.standardInterval) + 1, last - 6)
            guard first < last else { return nil }
            let slots = first..<last
            let reader = TrafficReader(store: store)
            let traffic = TrafficMesh(tenant: mesh.tenant, uid: life.mesh)
            let host = Host.service(NamespacedName(namespace: namespace, name: spec.service))
            let samples = try await reader.samples(of: host.unambiguous, in: traffic, span, slots)
            func requests(_ version: Name) -> Double {
                Double(samples.values.reduce(0) { $0 + $1.sum { $0.version == version }.requests })
            }
            let (canary, stable) = (requests(spec.canary.version), requests(spec.stable.version))
            guard canary + stable > 0 else { return nil }
            let interval = ShareInterval(canary, of: canary + stable)
            let coverage = try await reader.coverage(to: host, in: mesh, traffic, slots, samples)
            return [
                "canary": .integer(interval.share), "stable": .integer(10_000 - interval.share),
                "low": .integer(interval.low), "high": .integer(interval.high),
                "samples": .integer(Int64(canary + stable)), "coverage": .number(coverage.share),
                "window": [
                    "from": .string(span.start(of: slots.lowerBound).text),
                    "to": .string(span.start(of: slots.upperBound).text),
                ],
            ]
        }
    }
}

/// A share of requests in basis points, with the interval in which the true one is with 95 % (Wilson, 1927).
struct ShareInterval: Hashable {
    let share: Int64
    let low: Int64
    let high: Int64

    /// - Parameter all: more than 0, at most 2^53.
    init(_ part: Double, of all: Double) {
        let z = 1.959_964
        let p = part / all
        let center = p + z * z / (2 * all)
        let spread = z * (p * (1 - p) / all + z * z / (4 * all * all)).squareRoot()
        let scale = 1 + z * z / all
        func points(_ value: Double) -> Int64 { Int64((min(1, max(0, value)) * 10_000).rounded()) }
        share = points(p)
        low = points((center - spread) / scale)
        high = points((center + spread) / scale)
    }
}
