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
        /// Sidecars whose report came here.
        var reporters: Set<NamespacedName>
        /// Series that were counted together with others.
        var overflowed: Int
    }

    private struct Reporter: Hashable {
        var mesh: TrafficMesh
        var name: NamespacedName
    }

    private struct Slot {
        var hosts: [String: TrafficSample] = [:]
        var reporters: Set<NamespacedName> = []
        var overflowed = 0
    }

    /// How long after its end a slot is open: half of a sidecar's interval, and a second for reports that come late.
    static let openFor = Duration.seconds(6)
    /// By how much the way of a report may differ from that of the one before, so that one seems to begin before or after the
    /// other's end.
    private static let jitter = Duration.seconds(1)
    /// The longest interval that is believed.
    private static let maxInterval = Duration.seconds(20)

    private var slots: [Int64: [TrafficMesh: Slot]] = [:]
    /// Series of each tenant in each slot.
    private var series: [Int64: [Name: Int]] = [:]
    /// When a sidecar's last report came.
    private var lastArrivals: [Reporter: Timestamp] = [:]
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
        cover(report, from: time - interval, to: time)
    }

    /// Notes which slots a report is about: those whose middle lies in its interval, so that of a sidecar that reports without a gap
    /// every slot is covered by one report, and of one that leaves some out as many slots are missing.
    private mutating func cover(_ report: TrafficReport, from start: Timestamp, to end: Timestamp) {
        let reporter = Reporter(mesh: report.mesh, name: report.proxy)
        let last = lastArrivals[reporter]
        lastArrivals[reporter] = max(last ?? end, end)
        // Where it seems to begin a little before or after the end of the last one, it begins there.
        let isNext = last.map { start - Self.jitter <= $0 && $0 <= start + Self.jitter } ?? false
        let first = Self.span.slot(of: (isNext ? last ?? start : start) - Self.span.duration / 2) + 1
        let newest = Self.span.slot(of: end - Self.span.duration / 2)
        for slot in stride(from: max(first, closed + 1), through: newest, by: 1) {
            var entry = slots[slot]?[report.mesh] ?? Slot()
            guard entry.reporters.count < Limits.telemetryReporters.value else { continue }
            // In place: what is taken out of the dictionary is put back below.
            slots[slot]?[report.mesh] = nil
            entry.reporters.insert(report.proxy)
            slots[slot, default: [:]][report.mesh] = entry
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

    /// Takes the slots that ended long enough ago, the oldest first; with `isEnding` all.
    mutating func close(at time: Timestamp, isEnding: Bool = false) -> [Closed] {
        let newest = isEnding ? Int64.max : Self.span.slot(of: time - Self.openFor) - 1
        let due = slots.keys.filter { $0 <= newest }.sorted()
        guard let last = due.last else { return [] }
        closed = max(closed, last)
        lastArrivals = lastArrivals.filter { $0.value > time - Self.maxInterval - Self.jitter }
        return due.flatMap { slot in
            series[slot] = nil
            return (slots.removeValue(forKey: slot) ?? [:]).map { mesh, counted in
                Closed(
                    mesh: mesh, slot: slot, hosts: counted.hosts, reporters: counted.reporters,
                    overflowed: counted.overflowed)
            }
        }
    }
}
