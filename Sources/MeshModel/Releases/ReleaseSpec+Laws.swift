extension ReleaseSpec {
    /// The port that the release moves traffic of: its own, or the service's first HTTP port.
    ///
    /// - Returns: `nil` if the service has no such port, or the port is not HTTP.
    package func resolvedPort(in service: ServiceSpec) -> Int? {
        guard let port else { return service.ports.first { $0.appProtocol.isHTTP }?.number }
        return service.port(port).flatMap { $0.appProtocol.isHTTP ? $0.number : nil }
    }

    /// Reports what the release names and the service does not have.
    ///
    /// - Parameter pointer: of the release's `spec`.
    package func check(against service: ServiceSpec, at pointer: JSONPointer, log: ViolationLog) {
        for (field, side) in [("stable", stable), ("canary", canary)] where !service.hasVersion(side.version) {
            log.report(
                pointer.appending(field).appending("version"), .unknownReference,
                "the service \(self.service) has no version \(side.version)",
                choices: service.versions.map(\.name.text))
        }
        if resolvedPort(in: service) == nil {
            log.report(
                pointer.appending("port"), .unknownReference,
                port.map { "the service \(self.service) has no HTTP port \($0)" }
                    ?? "the service \(self.service) has no HTTP port",
                choices: service.ports.filter(\.appProtocol.isHTTP).map { "\($0.number)" })
        }
    }

    /// Reports changes that a started release does not allow: everything but the steps behind the current one and
    /// ``onFailed``.
    ///
    /// - Parameters:
    ///   - old: what is stored.
    ///   - pointer: of the release's `spec`.
    package func check(
        replacing old: ReleaseSpec, at status: ReleaseStatus, _ pointer: JSONPointer, log: ViolationLog
    ) {
        guard status.phase != .draft, self != old else { return }
        if status.phase.isTerminal {
            log.report(pointer, .immutable, "the release has ended; delete it or create another one")
            return
        }
        var allowed = old
        allowed.onFailed = onFailed
        // In Promoting the current step is one behind the last, so no step may be changed.
        let fixed = min((status.currentStep?.index ?? -1) + 1, old.strategy.steps.count)
        if status.currentStep.map({ $0.index < old.strategy.steps.count }) ?? true, status.phase.isAdvancing,
            strategy.steps.prefix(fixed) == old.strategy.steps.prefix(fixed)
        {
            allowed.strategy.steps = strategy.steps
        }
        guard allowed != self else { return }
        let (before, after) = (allowed.json.objectValue ?? [:], json.objectValue ?? [:])
        for field in Set(before.keys).union(after.keys).sorted() where before[field] != after[field] {
            let detail =
                field == "strategy"
                ? "of a started release only steps behind the current one may be changed" : "a started release keeps it"
            log.report(pointer.appending(field), .immutable, detail)
        }
    }
}
