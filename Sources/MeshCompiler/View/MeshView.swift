internal import MeshCore
internal import MeshModel

/// The only way of a pass to the mesh. Every question that the pass asks is remembered, even if nothing was found, so
/// no kind states what it affects, and none can forget.
///
/// Only what concerns everything is not remembered: the mesh's name, and the clusters of which it consists (``MeshChange/everything``).
struct MeshView {
    private let index: MeshIndex
    private let earlier: Earlier
    private(set) var asked: Set<Question> = []
    /// The definitions that were found already, by the hosts' names.
    private var definitions: [String: HostDefinitions] = [:]

    /// The findings of earlier passes that later ones ask for.
    struct Earlier: Sendable {
        /// By service.
        var unservedPorts: [NamespacedName: [UnservedPort]] = [:]
        /// Why the rules for a host are left out: the rest of a sentence.
        var excess: [Host: String] = [:]
    }

    init(_ index: MeshIndex, _ earlier: Earlier = Earlier()) {
        self.index = index
        self.earlier = earlier
    }

    var mesh: MeshKey { index.state.mesh }
    var enabledClusters: Set<Name> { index.state.enabledClusters }

    // MARK: Objects

    /// - Returns: `nil` if there is none.
    mutating func object<K: ResourceKind>(_ kind: K.Type, _ name: NamespacedName) -> K.Input? {
        asked.insert(.object(kinds[kind], name))
        return index.state[kind][name]
    }

    mutating func children<K: ResourceKind>(_ kind: K.Type, of parent: NamespacedName) -> [Name: K.Input] {
        asked.insert(.children(kinds[kind], parent))
        return index.state[childrenOf: kind][parent] ?? [:]
    }

    /// The objects of a kind that mention something, by name.
    mutating func objects<K: ResourceKind>(
        _ kind: K.Type, mentioning mention: Mention
    ) -> [(name: NamespacedName, input: K.Input)] {
        let ordinal = kinds[kind]
        asked.insert(.mentioning(ordinal, mention))
        let names = index.objects(of: ordinal, mentioning: mention)
        guard !names.isEmpty else { return [] }
        let table = index.state[kind]
        return names.sorted().compactMap { object in table[object.name].map { (object.name, $0) } }
    }

    /// The children that mention something, by their parent's name and their own.
    mutating func children<K: ResourceKind>(
        _ kind: K.Type, mentioning mention: Mention
    ) -> [(parent: NamespacedName, name: Name, input: K.Input)] {
        let ordinal = kinds[kind]
        asked.insert(.mentioning(ordinal, mention))
        let table = index.state[childrenOf: kind]
        return index.objects(of: ordinal, mentioning: mention).sorted().compactMap { object in
            guard let child = object.child, let input = table[object.name]?[child] else { return nil }
            return (object.name, child, input)
        }
    }

    /// The definitions of hosts of a name, besides services.
    mutating func definitions(of text: String) -> HostDefinitions {
        if let known = definitions[text] { return known }
        let found = MeshIndex.definers.flatMap { kind -> [HostDefinition] in
            asked.insert(.mentioning(kind, .definition(text)))
            return index.objects(of: kind, mentioning: .definition(text)).flatMap { object in
                index.state.definitions(by: object.name, kind).filter { $0.text == text }
                    .map { HostDefinition(kind, object.name, $0) }
            }
        }
        let all = found.isEmpty ? .none : HostDefinitions(found)
        definitions[text] = all
        return all
    }

    // MARK: What earlier passes found

    /// The ports of a service's endpoints that no sidecar listens for.
    mutating func unservedPorts(of service: NamespacedName) -> [UnservedPort] {
        asked.insert(.unservedPorts(service))
        return earlier.unservedPorts[service] ?? []
    }

    /// Why the rules for a host are left out; `nil`: they are not.
    mutating func excess(of host: Host) -> String? {
        asked.insert(.excess(host))
        return earlier.excess[host]
    }
}
