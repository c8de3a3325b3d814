internal import Analysis
internal import FaultPoints
internal import GrayRelease
internal import Logging
internal import MeshCore
internal import MeshFeed
internal import MeshModel
package import MeshStore
internal import MeshTelemetry

/// Use cases of those who measure. It is the replica itself and acts for all tenants, so no permission is checked.
extension ControlPlane {
    /// How long after a look a run without a window is looked at again, in case nobody says that its traffic is in force.
    private static let patience = Duration.seconds(30)
    /// How long a run that cannot be read here is left to others.
    private static let unreadablePause = Duration.seconds(600)

    /// Takes runs of which a window can be measured.
    package func claimRuns(limit: Int, lease: Duration) async throws -> [ClaimedRun] {
        try await translatingErrors { try await store.claimRuns(limit: limit, lease: lease) }
    }

    /// How long until a window can be measured, at most `limit`.
    package func timeUntilRunDue(atMost limit: Duration) async throws -> Duration {
        try await translatingErrors { try await store.timeUntilRunDue(atMost: limit) }
    }

    /// Forgets successful measurements that are older than a month.
    package func forgetMeasurements() async throws {
        try await translatingErrors { try await store.forgetMeasurements(olderThan: .seconds(30 * 86_400)) }
    }

    /// Brings a run forward: measures the windows that are over, and writes what they say.
    ///
    /// - Returns: whether the release that it is of goes by something new.
    package func measure(_ claim: ClaimedRun) async throws -> Bool {
        try await translatingErrors {
            guard claim.isReadable, let release = try? StoredRelease(claim.release) else {
                try await store.postpone(claim, by: Self.unreadablePause)
                throw ControlError.fault(
                    "the run \(claim.run.id) of \(claim.release.object.key) cannot be read: a newer program wrote it")
            }
            FaultPoint.runClaimed.reach()
            if claim.isCall { return try await call(claim, of: release) }
            let now = claim.now
            var run = claim.run
            run.acceptsUndecided = release.spec.onInconclusive == .proceed
            guard release.status.analysis.ids.contains(run.id), release.status.phase.isActive else {
                run.cancel(now: now)
                return try await store.commit(run, of: claim, [], nextDue: nil, wakes: false)
            }
            let before = run.standing
            var rows = run.plan(release.status.measuredTraffic, now: now).map { index, measurement in
                MeasurementRow(run.metrics[index], measurement)
            }
            let due = run.due(at: now)
            if !due.isEmpty {
                let readings = try await readings(of: due, in: run, release)
                for (index, reading) in readings {
                    let metric = run.metrics[index]
                    guard let measurement = run.take(reading, of: index, now: now) else { continue }
                    rows.append(MeasurementRow(metric, measurement))
                }
            }
            // A window that could not be measured, because its mesh is gone, is not looked at again and again.
            let next = run.phase.isFinal ? nil : run.nextDue.map { max($0, now + .seconds(1)) } ?? now + Self.patience
            let isNew = run.standing != before
            FaultPoint.runMeasured.reach()
            let isWritten = try await store.commit(run, of: claim, rows, nextDue: next, wakes: isNew)
            FaultPoint.runCommitted.reach()
            return isWritten && isNew
        }
    }

    private func readings(
        of due: [Int], in run: AnalysisRun, _ release: StoredRelease
    ) async throws -> [(Int, MetricReading)] {
        guard let life = try await store.life(of: release.mesh) else { return [] }
        let state = try await mirror.state(of: release.mesh, atLeast: 0)
        let ports = state.services[release.service].map { release.spec.ports(in: $0.spec) } ?? []
        let mesh = TrafficMesh(tenant: release.mesh.tenant, uid: life.mesh)
        let provider = egress.map {
            ProviderReader(client: $0, control: self, mesh: release.mesh, namespace: release.name.namespace)
        }
        // Those outside may take their time, and are asked together.
        var readings = try await withThrowingTaskGroup(of: (Int, MetricReading).self) { group in
            for index in due {
                guard let window = run.metrics[index].window, run.metrics[index].metric.builtin == nil else { continue }
                let metric = run.metrics[index].metric
                group.addTask {
                    guard let provider else { return (index, MetricReading(.failure("this server calls nobody"))) }
                    return (index, try await provider.reading(of: metric, window))
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        // Most metrics of a run have the same window.
        var windows: [MetricRun.Window: BuiltinWindow] = [:]
        for index in due where run.metrics[index].metric.builtin != nil {
            guard let window = run.metrics[index].window else { continue }
            let builtin: BuiltinWindow
            if let known = windows[window] {
                builtin = known
            } else {
                builtin = try await counted(in: window, mesh, release, ports: Set(ports))
                windows[window] = builtin
            }
            readings.append((index, builtin.reading(of: run.metrics[index].metric)))
        }
        return readings
    }

    /// The counts of sidecars in a window of the service that a release is of.
    private func counted(
        in window: MetricRun.Window, _ mesh: TrafficMesh, _ release: StoredRelease, ports: Set<Int>
    ) async throws -> BuiltinWindow {
        let (reader, span, host) = (TrafficReader(store: store), TrafficSpan.tenSeconds, Host.service(release.service))
        let first = span.slot(of: window.from)
        let slots = first..<max(first, span.slot(of: window.to))
        let samples = try await reader.samples(of: host.unambiguous, in: mesh, span, slots)
        return BuiltinWindow(
            samples: samples, coverage: try await reader.coverage(to: host, in: release.mesh, mesh, slots, samples),
            length: window.to - window.from, ports: ports, stable: release.spec.stable.version,
            canary: release.spec.canary.version, namespace: release.name.namespace)
    }
}

extension MeasurementRow {
    fileprivate init(_ run: MetricRun, _ measurement: Measurement) {
        self.init(template: run.template, metric: run.metric.name, measurement)
    }
}
