internal import Analysis
internal import MeshCore
package import MeshStore

/// Reads what sidecars have counted, of all replicas together.
package struct TrafficReader: Sendable {
    private let store: MeshStore

    package init(store: MeshStore) { self.store = store }

    /// The counts of the requests to a host, slot by slot; a slot in which nothing was counted is not there.
    package func samples(
        of host: String, in mesh: TrafficMesh, _ span: TrafficSpan, _ slots: Range<Int64>
    ) async throws -> [Int64: TrafficSample] {
        var samples: [Int64: TrafficSample] = [:]
        for row in try await store.traffic(to: host, in: mesh, span, slots) {
            // A form that is not known is a newer server's, and missing as its report would be.
            guard let sample = TrafficSample(bytes: row.samples) else { continue }
            samples[row.slot, default: TrafficSample()].merge(sample)
        }
        return samples
    }

    /// The share of the sidecars that were there whose reports are known, over slots of ten seconds.
    package func coverage(of mesh: TrafficMesh, _ slots: Range<Int64>) async throws -> TrafficCoverage {
        let before = slots.lowerBound - TrafficCoverage.lostFor
        return TrafficCoverage(try await store.trafficCoverage(of: mesh, before..<slots.upperBound), slots)
    }
}

/// How much of what sidecars counted is known.
package struct TrafficCoverage: Hashable, Sendable {
    /// Slots for which the sidecars of a replica that wrote nothing more are missing: in that time they find another one, which
    /// counts them.
    static let lostFor: Int64 = 6

    /// Sidecars, each as often as slots that it was connected in.
    package var connected = 0
    /// The number of those whose report of the slot is known; one may have sent its report to another replica than the one that it has its
    /// configuration from.
    package var reporting = 0
    /// Series that were counted together with others because there were too many.
    package var overflowed = 0

    /// - Parameters:
    ///   - rows: of the slots, and of ``lostFor`` slots before them.
    init(_ rows: [TrafficCoverageRow], _ slots: Range<Int64>) {
        var last: [String: TrafficCoverageRow] = [:]
        for row in rows {
            if slots.contains(row.slot) {
                connected += row.connected
                reporting += row.reporting
                overflowed += row.overflowed
            }
            if (last[row.writer]?.slot ?? .min) < row.slot { last[row.writer] = row }
        }
        for row in last.values where !row.isLast && row.slot < slots.upperBound - 1 {
            let missing =
                max(
                    row.slot + 1, slots.lowerBound)..<max(
                    slots.lowerBound, min(row.slot + 1 + Self.lostFor, slots.upperBound))
            if missing.lowerBound < missing.upperBound { connected += row.connected * missing.count }
        }
    }

    /// `0...1`; 1 where nobody was there.
    package var share: Double { connected == 0 ? 1 : min(1, Double(reporting) / Double(connected)) }
}
