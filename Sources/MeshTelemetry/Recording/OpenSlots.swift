internal import Documents
internal import MeshCore
internal import MeshModel
internal import MeshStore

/// The slots of ten seconds that reports still come for. A value: time is told, by the database's clock.
///
/// A report goes whole to the slot that the middle of its interval lies in, by when it arrived: sidecars' clocks count for
/// lengths only.
struct OpenSlots {
    /// A slot of a mesh that no more reports are taken for.
    struct Closed: Hashable {
        var mesh: TrafficMesh
        var slot: Int64
        var hosts: [String: TrafficSample]
        /// Sidecars that were connected to this replica all the time.
        var connected: Int
        /// Sidecars whose report came here.
        var reporting: Int
        /// Series that were counted together with others.
        var overflowed: Int
    }

    private struct Slot {
        var hosts: [String: TrafficSample] = [:]
        var reporting: Set<NamespacedName> = []
        var overflowed = 0
    }

    /// How long after its end a slot is open: half of a sidecar's interval, and a second for reports that come late.
    static let openFor = Duration.seconds(6)
    /// By how much a sidecar may report later or earlier than an interval after its last report without seeming to have left a
    /// slot out.
    private static let jitter = Duration.seconds(1)
    /// The longest interval that is believed.
    private static let maxInterval = Duration.seconds(20)

    private var slots: [Int64: [TrafficMesh: Slot]] = [:]
    /// Series of each tenant in each slot.
    private var series: [Int64: [Name: Int]] = [:]
    /// The sidecars that were connected when a slot began.
    private var connectedAtStart: [Int64: [TrafficMesh: Set<NamespacedName>]] = [:]
    /// The sidecars that were connected when a slot began and when it ended.
    private var connectedThroughout: [Int64: [TrafficMesh: Set<NamespacedName>]] = [:]
    /// The newest slot that was closed.
    private var closed = Int64.min

    private static let span = TrafficSpan.tenSeconds

    mutating func add(_ report: TrafficReport, arriving time: Timestamp) {
        let interval = min(report.interval ?? TrafficReport.standardInterval, Self.maxInterval)
        let slot = Self.span.slot(of: time - interval / 2)
        // What comes too late is missing, as coverage says: counted later it would be taken for what it is not about.
        if slot > closed {
            for (destination, counts) in report.counts { count(counts, of: destination, report, in: slot) }
        }
        // Whose middle lies within the interval.
        let first = Self.span.slot(of: time - interval - Self.jitter - Self.span.duration / 2) + 1
        let last = Self.span.slot(of: time + Self.jitter - Self.span.duration / 2)
        for covered in first...max(first, last) where covered > closed {
            slots[covered, default: [:]][report.mesh, default: Slot()].reporting.insert(report.proxy)
        }
    }

    private mutating func count(
        _ counts: TrafficCounts, of destination: TrafficReport.Destination, _ report: TrafficReport, in slot: Int64
    ) {
        var key = TrafficSeries(port: destination.port, version: destination.version, source: report.source)
        var entry = slots[slot, default: [:]][report.mesh, default: Slot()]
        // In place: what is taken out of the dictionary is put back below.
        slots[slot, default: [:]][report.mesh] = nil
        var sample = entry.hosts.removeValue(forKey: destination.host) ?? TrafficSample()
        if sample.series[key] == nil {
            let tenant = report.mesh.tenant
            let ofTenant = series[slot, default: [:]][tenant, default: 0]
            let sources = sample.series.count { $0.key.version == key.version && $0.key.port == key.port }
            if ofTenant >= Limits.telemetrySeries.value || sources >= Limits.telemetrySources.value {
                entry.overflowed += 1
                key.source = nil
            }
            if sample.series[key] == nil { series[slot, default: [:]][tenant, default: 0] += 1 }
        }
        sample.series[key, default: TrafficCounts()].merge(counts)
        entry.hosts[destination.host] = sample
        slots[slot, default: [:]][report.mesh] = entry
    }

    /// Whether nobody has said yet who is connected in the slot of the moment.
    func isNewSlot(at time: Timestamp) -> Bool { connectedAtStart[Self.span.slot(of: time)] == nil }

    /// Notes who is connected. To be told in each slot.
    mutating func note(connected: [TrafficMesh: Set<NamespacedName>], at time: Timestamp) {
        let slot = Self.span.slot(of: time)
        guard connectedAtStart[slot] == nil else { return }
        connectedAtStart[slot] = connected
        guard let before = connectedAtStart.removeValue(forKey: slot - 1) else { return }
        var both: [TrafficMesh: Set<NamespacedName>] = [:]
        for (mesh, proxies) in before { both[mesh] = proxies.intersection(connected[mesh] ?? []) }
        connectedThroughout[slot - 1] = both
        connectedAtStart = connectedAtStart.filter { $0.key >= slot - 1 }
    }

    /// Takes the slots that ended long enough ago, the oldest first; with `isEnding` all.
    mutating func close(at time: Timestamp, isEnding: Bool = false) -> [Closed] {
        let newest = isEnding ? Int64.max : Self.span.slot(of: time - Self.openFor) - 1
        let due = Set(slots.keys).union(connectedThroughout.keys).filter { $0 <= newest }.sorted()
        guard let last = due.last else { return [] }
        closed = max(closed, last)
        return due.flatMap { slot in
            let meshes = slots.removeValue(forKey: slot) ?? [:]
            let connected = connectedThroughout.removeValue(forKey: slot) ?? [:]
            series[slot] = nil
            return Set(meshes.keys).union(connected.keys).map { mesh in
                let counted = meshes[mesh] ?? Slot()
                return Closed(
                    mesh: mesh, slot: slot, hosts: counted.hosts, connected: connected[mesh]?.count ?? 0,
                    reporting: counted.reporting.count, overflowed: counted.overflowed)
            }
        }
    }
}
