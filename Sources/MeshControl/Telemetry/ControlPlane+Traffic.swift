package import Documents
package import MeshCore
package import MeshIdentity
internal import MeshModel
internal import MeshStore
internal import MeshTelemetry

extension ControlPlane {
    /// The requests to a service as sidecars have counted them, as lines of a graph.
    ///
    /// - Returns: `{"from", "step", "coverage", "series": [{"labels", "points"}], "warnings"}`; a point a step, `null` where nothing
    ///   tells. `coverage` is the share of sidecars whose reports are known, of what is finer than a minute.
    package func traffic(_ query: TrafficQuery, in mesh: MeshKey, by caller: Caller) async throws -> JSONValue {
        try authorise(caller, .readProxies, in: ObjectScope(mesh, namespace: query.service.namespace))
        return try await translatingErrors {
            guard let life = try await store.life(of: mesh) else { throw ControlError.notFound("mesh \(mesh.mesh)") }
            let now = try await store.now()
            let timeline = try Self.timeline(of: query, now: now)
            let reader = TrafficReader(store: store)
            let traffic = TrafficMesh(tenant: mesh.tenant, uid: life.mesh)
            var graph = TrafficGraph(query, timeline)
            var coverage: TrafficCoverage?
            for part in timeline.parts(now: now) {
                let host = Host.service(query.service)
                let samples = try await reader.samples(of: host.unambiguous, in: traffic, part.span, part.slots)
                for (slot, sample) in samples { graph.add(sample, of: slot, part.span) }
                if part.span == .tenSeconds {
                    coverage = try await reader.coverage(to: host, in: mesh, traffic, part.slots, samples)
                }
            }
            return graph.json(coverage)
        }
    }

    private static func timeline(of query: TrafficQuery, now: Timestamp) throws -> TrafficTimeline {
        func refuse(_ parameter: String, _ code: Violation.Code, _ detail: String) -> ControlError {
            .invalid([Violation(JSONPointer(["query", parameter]), code, detail)])
        }
        let to = query.to ?? now
        let from = query.from ?? to - .seconds(900)
        guard from < to else { throw refuse("from", .outOfRange, "must be before to") }
        guard from >= now - TrafficSpan.hour.retention else {
            throw refuse("from", .outOfRange, "must not be longer ago than 30 days: nothing older is kept")
        }
        if query.metric != .requests && query.dimensions.contains(.code) {
            throw refuse(
                "by", .invalidValue, "only requests are told apart by code: sidecars count the others without it")
        }
        let finest = TrafficTimeline.finestStep(from: from, now: now)
        let step = query.step ?? finest.duration * max(1, Int(((to - from) / (finest.duration * 120)).rounded(.up)))
        guard step <= TrafficTimeline.maxStep else {
            throw refuse("step", .outOfRange, "must be at most 30 days: nothing is kept for longer")
        }
        let span = finest.duration.microseconds
        guard step.microseconds >= span, step.microseconds % span == 0 else {
            throw refuse(
                "step", .invalidValue, "must be a multiple of \(finest.rawValue)s: nothing finer is kept of that time")
        }
        guard let timeline = TrafficTimeline(from: from, to: to, step: step) else {
            throw refuse("step", .outOfRange, "must divide the time into at most \(TrafficTimeline.maxSteps) steps")
        }
        return timeline
    }
}

/// The lines of a graph while they are added up.
private struct TrafficGraph {
    private let query: TrafficQuery
    private let timeline: TrafficTimeline
    private var lines: [TrafficLine: [Int: TrafficCounts]] = [:]
    private var hasOverflow = false

    init(_ query: TrafficQuery, _ timeline: TrafficTimeline) {
        self.query = query
        self.timeline = timeline
    }

    mutating func add(_ sample: TrafficSample, of slot: Int64, _ span: TrafficSpan) {
        guard let index = timeline.index(of: slot, span) else { return }
        // What says only who calls is no line.
        for (series, counts) in sample.series where counts != TrafficCounts() {
            if series.source == nil { hasOverflow = true }
            let line = TrafficLine(series, query.dimensions)
            if query.dimensions.contains(.code) {
                for entry in counts.answers.entries {
                    var part = TrafficCounts()
                    part.answers.add(entry.count, of: entry.code)
                    lines[TrafficLine(line, code: entry.code), default: [:]][index, default: TrafficCounts()].merge(
                        part)
                }
            } else {
                lines[line, default: [:]][index, default: TrafficCounts()].merge(counts)
            }
        }
    }

    func json(_ coverage: TrafficCoverage?) -> JSONValue {
        // Whole steps for as many lines as there is room for; those with the most requests are the ones that are looked for.
        let room = max(1, TrafficTimeline.maxSteps / max(1, timeline.count))
        let all = lines.sorted { $0.key < $1.key }
        let shown = all.count <= room ? all : Array(all.sorted { total($0.value) > total($1.value) }.prefix(room))
        var warnings: [String] = []
        if shown.count < all.count {
            warnings.append("\(all.count - shown.count) of \(all.count) series with the fewest requests are left out")
        }
        if hasOverflow { warnings.append("there were too many senders to tell all apart: some are counted as unknown") }
        if let coverage, coverage.overflowed > 0 {
            warnings.append(
                "\(coverage.overflowed) series of the mesh were counted with unknown sender: \(Limits.telemetrySeries.rule)"
            )
        }
        if let coverage, coverage.share < 1 {
            warnings.append("of \(coverage.expected) reports of the service's callers \(coverage.known) are known")
        }
        return .fields([
            "from": .string(timeline.from.text), "step": .string("\(timeline.step.microseconds / 1_000_000)s"),
            "coverage": coverage.map { .number($0.share) } ?? .null,
            "series": JSONValue.array(shown.map { json($0.key, $0.value) }),
            "warnings": JSONValue.list(warnings, JSONValue.string),
        ])
    }

    private func total(_ line: [Int: TrafficCounts]) -> UInt64 { line.values.reduce(0) { max($0, $0 &+ $1.requests) } }

    private func json(_ line: TrafficLine, _ points: [Int: TrafficCounts]) -> JSONValue {
        let values: [JSONValue] = (0..<timeline.count).map { index in
            guard let value = points[index].flatMap(query.metric.value) else { return .null }
            return .number(value)
        }
        return .fields([
            "labels": .fields([
                "source": line.source.map(JSONValue.string), "version": line.version.map(JSONValue.string),
                "code": line.code.map(JSONValue.string),
            ]), "points": .array(values),
        ])
    }
}
