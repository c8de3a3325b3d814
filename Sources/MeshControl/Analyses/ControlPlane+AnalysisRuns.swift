package import MeshCore
package import MeshIdentity
internal import MeshModel
package import MeshStore

/// A place behind a measurement of a run.
package struct MeasurementCursor: Sendable {
    package var template: String
    package var metric: String
    package var k: Int

    package init(template: String, metric: String, k: Int) {
        self.template = template
        self.metric = metric
        self.k = k
    }
}

extension ControlPlane {
    /// The runs of analyses of a release, the newest first, with the last measurements of each metric.
    package func analysisRuns(of key: ObjectKey, by caller: Caller) async throws -> [StoredRun] {
        _ = try await fetch(key, by: caller)
        return try await translatingErrors { try await store.analysisRuns(of: key) }
    }

    package func analysisRun(_ id: String, of key: ObjectKey, by caller: Caller) async throws -> StoredRun {
        _ = try await fetch(key, by: caller)
        let runs = try await translatingErrors { try await store.analysisRuns(of: key, id: id) }
        guard let run = runs.first else { throw ControlError.notFound("analysis run \(id)") }
        return run
    }

    /// A page of all measurements of a run that are kept, by template, metric and number.
    package func measurements(
        of id: String, _ key: ObjectKey, pageSize: Int, after: MeasurementCursor?, by caller: Caller
    ) async throws -> (items: [MeasurementRow], next: MeasurementCursor?) {
        _ = try await analysisRun(id, of: key, by: caller)
        let rows = try await translatingErrors {
            try await store.measurements(
                of: id, of: key, after: after.map { ($0.template, $0.metric, $0.k) }, limit: pageSize + 1)
        }
        let items = Array(rows.prefix(pageSize))
        guard rows.count > pageSize, let last = items.last else { return (items, nil) }
        return (items, MeasurementCursor(template: last.template, metric: last.metric.text, k: last.k))
    }
}
