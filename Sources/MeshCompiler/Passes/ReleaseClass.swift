internal import GrayRelease
internal import MeshCore
internal import MeshModel

extension ReleaseTraffic {
    /// The class of a rule for the release: the first line of the table that fits (``RouteEffect/Class``). The class
    /// depends on the documents alone, not on the release's step.
    func classify(_ rule: RuleDestinations) -> RouteEffect.Class {
        let own = rule.all.filter { $0.host == host }
        let concerned = own.filter { isReleased($0) }
        guard !concerned.isEmpty else { return .untouched }
        let isNamed = rule.shape.isNamed(in: rules)
        guard rules.isEmpty || rules.contains("*") || isNamed, concerned.contains(where: { covers(port: $0.port) })
        else { return .outOfScope }
        if rule.shape.namespace != service.namespace, own.contains(where: { $0.named != nil }) {
            return .keptOtherNamespace
        }
        let namesService = concerned.contains { $0.named == nil }
        let namesStable = concerned.contains { $0.named != nil && $0.version == stable }
        let namesCanary = concerned.contains { $0.named != nil && $0.version == canary }
        if namesCanary && !namesService && !namesStable { return .keptCanaryOnly }
        if rule.isPin(on: stable, of: host) && !isNamed { return .pinned }
        return .split
    }

    /// Whether a destination is the service, its stable version or its canary, on whatever port.
    func isReleased(_ destination: RuleDestination) -> Bool {
        destination.host == host
            && (destination.named == nil || destination.version == stable || destination.version == canary)
    }

    /// Whether it divides what a rule that is split sends to a destination.
    func divides(_ destination: RuleDestination) -> Bool { isReleased(destination) && covers(port: destination.port) }

    /// The host whose traffic it divides.
    var host: Host { .service(service) }
}
