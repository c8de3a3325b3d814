internal import Analysis
package import MeshCore
package import MeshModel
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

    /// How many of the sidecars that call a host have reported in slots of ten seconds, as far as is known who calls.
    ///
    /// Who has called it in the last hour may still call it. Where senders were counted together, everybody may be one.
    ///
    /// - Parameters:
    ///   - samples: of the host in these slots.
    package func coverage(
        to host: Host, in mesh: MeshKey, _ traffic: TrafficMesh, _ slots: Range<Int64>,
        _ samples: [Int64: TrafficSample]
    ) async throws -> TrafficCoverage {
        var service: NamespacedName?
        if case .service(let name) = host { service = name }
        let before = try await earlier(to: host, in: traffic, slots)
        let known = (Array(samples.values) + before).flatMap(\.series.keys)
        guard !known.isEmpty else { return TrafficCoverage() }
        let isAnybody = known.contains { $0.source == nil }
        let callers = Set(known.compactMap(\.source?.service))
        let expected = try await store.expectedReporters(of: service, in: mesh).filter { proxy in
            isAnybody || proxy.service.map(callers.contains) ?? true
        }
        let reported = try await store.reportedSlots(
            of: traffic, by: expected.map(\.name), slots.lowerBound - TrafficCoverage.lookBack..<slots.upperBound)
        var coverage = TrafficCoverage(expected, reported, slots)
        coverage.overflowed = try await store.overflowedSeries(of: traffic, slots)
        return coverage
    }

    /// The counts of the hour before some slots: as minutes, and as slots of ten seconds where those may not be there yet.
    private func earlier(
        to host: Host, in mesh: TrafficMesh, _ slots: Range<Int64>
    ) async throws -> [TrafficSample] {
        let (ten, minute) = (TrafficSpan.tenSeconds, TrafficSpan.minute)
        let last = minute.slot(of: ten.start(of: slots.lowerBound))
        let minutes = try await samples(of: host.unambiguous, in: mesh, minute, last - 60..<last)
        let fine = try await samples(
            of: host.unambiguous, in: mesh, ten, slots.lowerBound - 2 * TrafficCoverage.lookBack..<slots.lowerBound)
        return Array(minutes.values) + Array(fine.values)
    }
}

/// How much of what sidecars counted is known.
package struct TrafficCoverage: Hashable, Sendable {
    /// Slots before the first one in which a sidecar's report says that it was there already.
    static let lookBack: Int64 = 6

    /// Sidecars that call, each as often as slots that it was there in.
    package private(set) var expected = 0
    /// The number of those whose report of the slot is known.
    package private(set) var known = 0
    /// Series that were counted together with others because there were too many, of the whole mesh.
    package internal(set) var overflowed = 0

    package init() {}

    /// - Parameters:
    ///   - proxies: those that call, and are there now.
    ///   - reported: the slots that they have reported of, ``lookBack`` slots before the first one as well.
    init(_ proxies: [ExpectedReporter], _ reported: [NamespacedName: Set<Int64>], _ slots: Range<Int64>) {
        for proxy in proxies {
            let own = reported[proxy.name] ?? []
            // Whose stream is new was there before if it has reported; it comes back from a replica that was lost, maybe with reports.
            let first = own.min() ?? .max
            for slot in slots where proxy.since <= TrafficSpan.tenSeconds.start(of: slot) || first < slot {
                expected += 1
                if own.contains(slot) { known += 1 }
            }
        }
    }

    /// `0...1`; 1 where nobody was there.
    package var share: Double { expected == 0 ? 1 : Double(known) / Double(expected) }
}
