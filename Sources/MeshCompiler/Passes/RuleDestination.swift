internal import GrayRelease
internal import MeshCore
internal import MeshModel

/// A destination of a rule that exists: what the document names, and what that means now.
struct RuleDestination: Hashable {
    /// Its place in the rule's `route`.
    var index: Int
    var host: Host
    var port: Int
    /// The version that the document names, as its subset's labels have it; `nil`: the service.
    var named: Name?
    /// The version that is meant: the service's stable version for the service itself and for a version that a release has
    /// retired. `nil`: all versions, by their endpoints.
    var version: Name?
    /// Per cent.
    var weight: Int
    var headers: HeaderOperations
}

/// The properties of a rule, besides its destinations, that decide about a release's effect on it: place, names,
/// conditions.
struct RuleShape: Hashable {
    /// The namespace of the VirtualService; of the service for its default route.
    var namespace: Name
    /// By which a release's scope can select it: `name` and `virtualService/name`. Empty for one without name.
    var names: [String] = []
    /// Whether the rule is about some requests of a client only: each of its matches has a condition on headers (not on
    /// pseudo-headers), query or source. Nobody writes such a rule for "the traffic".
    var isConditioned = false

    /// The shape of a service's default route.
    init(namespace: Name) { self.namespace = namespace }

    init(_ rule: HTTPRule, of owner: NamespacedName) {
        namespace = owner.namespace
        names = rule.name.map { [$0, "\(owner.name)/\($0)"] } ?? []
        isConditioned = !rule.match.isEmpty && rule.match.allSatisfy(\.isAboutClients)
    }

    func isNamed(in rules: [String]) -> Bool { names.contains(where: rules.contains) }
}

extension HTTPMatch {
    fileprivate var isAboutClients: Bool {
        !queryParams.isEmpty || (Array(headers.keys) + withoutHeaders.keys).contains { !$0.hasPrefix(":") }
    }
}

/// The destinations of one rule, after what promotions and the pointer to the stable version make of them
/// (``ServiceStatus``).
///
/// A version that a release has retired means the stable version of the moment, in every rule of the service's namespace,
/// whenever it was written: so a document in a repository goes on to mean what the release made of it. Only what a release
/// leaves alone stays: a pin, which is a rule for some requests of a client that names nothing but that version.
struct RuleDestinations: Hashable {
    /// Also those of weight 0: what a rule names decides what a release may do with it.
    private(set) var all: [RuleDestination]
    let shape: RuleShape

    /// - Parameter service: what a host offers.
    init(_ named: [RuleDestination], _ shape: RuleShape, _ service: (Host) -> MeshState.Service?) {
        all = named
        self.shape = shape
        for index in named.indices {
            guard let service = service(named[index].host) else { continue }
            all[index].version = meaning(of: named[index], service)
        }
    }

    private func meaning(of destination: RuleDestination, _ service: MeshState.Service) -> Name? {
        let stable = service.stableVersion
        guard let named = destination.named else { return stable }
        guard let stable, stable != named, shape.namespace == destination.host.namespace,
            let promotion = service.status.promotion(from: named),
            !isPin(on: named, of: destination.host) || shape.isNamed(in: promotion.rules)
        else { return named }
        return stable
    }

    /// Whether the rule is for some requests of a client and names nothing of the service but this version.
    func isPin(on version: Name, of host: Host) -> Bool {
        shape.isConditioned && all.allSatisfy { $0.host != host || $0.named == version }
    }

    /// The headers of a destination's requests that go to a version.
    ///
    /// They are the destination's own. Only where it names a version, and the rule the one that its requests go to instead, they
    /// are those that the rule has for that one. A destination that names no version keeps its own whatever the service means:
    /// pointers, releases and promotions decide where its requests go, not what is said of them.
    func headers(of destination: RuleDestination, to version: Name?) -> HeaderOperations {
        guard let named = destination.named, let version, named != version else { return destination.headers }
        return all.first { $0.host == destination.host && $0.named == version }?.headers ?? destination.headers
    }
}

extension MeshState.Service {
    /// The version that the service itself means, as long as it has it.
    var stableVersion: Name? { status.stableVersion.flatMap { spec.hasVersion($0) ? $0 : nil } }
}
