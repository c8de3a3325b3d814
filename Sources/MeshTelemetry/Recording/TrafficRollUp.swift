package import Logging
package import MeshStore

/// Adds slots up to longer ones, and forgets those that are old. Any number of replicas may run it; one is at it at a time.
package struct TrafficRollUp: Sendable {
    private let store: MeshStore
    private let logger: Logger

    /// Rows of hosts that are read at a time.
    private static let page = 500
    private static let pause = Duration.seconds(15)
    /// Rows that are deleted at a time.
    private static let batch = 10_000

    package init(store: MeshStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// Works until the task is cancelled.
    package func run() async throws {
        while true {
            do {
                try await addUp(.tenSeconds, to: .minute)
                try await addUp(.minute, to: .hour)
                while try await store.forgetTraffic(atMost: Self.batch) {}
            } catch {
                logger.warning("telemetry not added up", metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: Self.pause)
        }
    }

    func addUp(_ finer: TrafficSpan, to span: TrafficSpan) async throws {
        guard let slots = try await store.claimRollUp(to: span), let newest = slots.last else { return }
        let parts = Int64(span.rawValue / finer.rawValue)
        for slot in slots { try await addUp(finer, slot * parts..<(slot + 1) * parts, to: slot, of: span) }
        try await store.finishRollUp(to: span, through: newest)
    }

    private func addUp(_ finer: TrafficSpan, _ parts: Range<Int64>, to slot: Int64, of span: TrafficSpan) async throws {
        var last: TrafficRow?
        while true {
            let rows = try await store.trafficToRollUp(from: finer, parts, after: last, limit: Self.page)
            guard let end = rows.last else { return }
            var sums: [TrafficMesh: [String: TrafficSample]] = [:]
            for row in rows {
                guard let sample = TrafficSample(bytes: row.samples) else { continue }
                sums[row.mesh, default: [:]][row.host, default: TrafficSample()].merge(sample)
            }
            try await store.replaceTraffic(
                sums.flatMap { mesh, hosts in
                    hosts.map { TrafficRow(mesh: mesh, slot: slot, host: $0.key, samples: $0.value.bytes) }
                }, span)
            last = end
        }
    }
}
