package import Documents
internal import GrayRelease
internal import MeshCore

extension ReleaseSpec {
    /// The ports whose requests the release splits, in the service's order: of its HTTP ports those in scope.
    package func ports(in service: ServiceSpec) -> [Int] {
        let named = namedPorts
        return service.ports.filter { $0.appProtocol.isHTTP && (named.isEmpty || named.contains($0.number)) }.map(
            \.number)
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
        for (field, side) in [("stable", stable), ("canary", canary)] {
            check(side, against: service, at: pointer.appending(field).appending("selector"), log: log)
        }
        let choices = service.ports.filter(\.appProtocol.isHTTP).map { "\($0.number)" }
        if choices.isEmpty {
            log.report(
                pointer.appending("port"), .unknownReference, "the service \(self.service) has no HTTP port")
        }
        let scoped = ["strategy", "trafficRouting", "scope", "ports"].reduce(pointer) { $0.appending($1) }
        let named =
            (port.map { [(pointer.appending("port"), $0)] } ?? [])
            + strategy.ports.enumerated().map { (scoped.appending($0.offset), $0.element) }
        for (place, number) in named where !choices.isEmpty && !choices.contains("\(number)") {
            log.report(
                place, .unknownReference, "the service \(self.service) has no HTTP port \(number)", choices: choices)
        }
    }

    /// Reports where a side's selector says something else than the labels of its version, which decide.
    private func check(_ side: Version, against service: ServiceSpec, at pointer: JSONPointer, log: ViolationLog) {
        let labels = service.versions.first { $0.name == side.version }?.labels ?? [:]
        for (label, value) in side.selector.sorted(by: { $0.key < $1.key }) {
            guard let expected = labels[label], expected != value else { continue }
            log.report(
                pointer.appending(label), .conflict,
                "version \(side.version) of service \(self.service) has the label \(label) \"\(expected)\"",
                choices: [expected])
        }
    }
}
