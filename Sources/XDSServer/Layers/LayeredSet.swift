/// The resources of one type that a client may have: those of the layers in its list. A value of a few references; what many clients
/// have in common is the same set in all of their lists.
///
/// Two lists are compared layer by layer (``changedNames(since:)``), so a client whose list changes is told what differs by name, and
/// nothing of what only moved to another layer.
///
/// No name should be in two layers of a list. If one is, the first layer counts, streams log it (``duplicateNames``), and clients with
/// the list share less with others.
package struct LayeredSet: Sendable {
    /// The layers, without those in which there is nothing.
    let layers: [ResourceSet]
    /// The number of resources that are visible.
    package let count: Int
    /// The digest of all visible resources.
    private let digest: ContentDigest
    /// The names that are in more than one layer.
    package let duplicateNames: Set<String>
    /// The names of the resources with a time to live (``EncodedResource/ttl``), sorted, and the shortest time.
    package let expiring: (names: [String], shortestTTL: Duration?)

    package static let empty = LayeredSet([])

    /// - Parameter layers: of two resources with one name the one of the first layer counts.
    package init(_ layers: [ResourceSet]) {
        let layers = layers.filter { !$0.isEmpty }
        var duplicateNames: Set<String> = []
        var count = 0
        var digest = ContentDigest()
        for (index, layer) in layers.enumerated() {
            count += layer.count
            digest += layer.digest
            let hidden = layers.prefix(index).reduce(into: Set()) { $0.formUnion(layer.overlap(with: $1)) }
            for resource in hidden.compactMap({ layer[$0] }) {
                count -= 1
                digest -= resource.digest
            }
            duplicateNames.formUnion(hidden)
        }
        self.layers = layers
        self.count = count
        self.digest = digest
        self.duplicateNames = duplicateNames
        expiring = Self.expiring(layers, duplicateNames)
    }

    private static func expiring(
        _ layers: [ResourceSet], _ duplicateNames: Set<String>
    ) -> (names: [String], shortestTTL: Duration?) {
        let all = layers.filter { $0.expiring.shortestTTL != nil }
        if all.isEmpty { return ([], nil) }
        if duplicateNames.isEmpty {
            return (all.flatMap(\.expiring.names).sorted(), all.compactMap(\.expiring.shortestTTL).min())
        }
        // What hides another may last for ever.
        let names = Set(all.flatMap(\.expiring.names)).sorted()
        let visible = names.compactMap { name in layers.lazy.compactMap { $0[name] }.first }.filter { $0.ttl != nil }
        return (visible.map(\.name), visible.compactMap(\.ttl).min())
    }

    /// The version of a state-of-the-world response. It depends on the visible resources alone, not on the layers that they are
    /// in, and is equal on all replicas.
    package var version: String { layers.count == 1 ? layers[0].version : digest.text }

    package func hasSameContent(as other: LayeredSet) -> Bool { digest == other.digest }

    /// Whether both are the very same layers.
    package func isIdentical(to other: LayeredSet) -> Bool {
        layers.count == other.layers.count && zip(layers, other.layers).allSatisfy { $0 === $1 }
    }

    package subscript(name: String) -> EncodedResource? {
        for layer in layers {
            if let resource = layer[name] { return resource }
        }
        return nil
    }

    package var isEmpty: Bool { layers.isEmpty }

    /// All resources, sorted by name.
    package var resources: [EncodedResource] {
        if layers.count == 1 { return layers[0].resources }
        return visible.joined().sorted { $0.name < $1.name }
    }

    package var names: Set<String> { layers.reduce(into: []) { $0.formUnion($1.names) } }

    /// Each layer's resources that none above hides.
    private var visible: [[EncodedResource]] {
        layers.enumerated().map { index, layer in layer.resources.filter { !isHidden($0.name, from: index) } }
    }

    /// Whether a layer before this one has the name.
    private func isHidden(_ name: String, from index: Int) -> Bool {
        duplicateNames.contains(name) && layers.prefix(index).contains { $0[name] != nil }
    }

    /// The names of the resources that are wanted, each once.
    func names(where isWanted: (EncodedResource) -> Bool) -> [String] {
        layers.enumerated().flatMap { index, layer in
            layer.names { isWanted($0) && !isHidden($0.name, from: index) }
        }
    }

    /// The resources among `names`, by themselves.
    func only(_ names: Set<String>) -> LayeredSet { LayeredSet([ResourceSet(names.compactMap { self[$0] })]) }

    /// Whether all resources are among `names`.
    func isCovered(by names: NameSet) -> Bool { layers.allSatisfy { $0.isCovered(by: names) } }

    /// Whether a client that says it has `initialVersions` has just this.
    func isExactly(_ initialVersions: VersionList) -> Bool {
        guard duplicateNames.isEmpty, initialVersions.count == count else { return false }
        var fingerprint = NameSet.Fingerprint()
        for layer in layers { fingerprint += layer.fingerprint }
        return fingerprint == initialVersions.fingerprint
    }

    // MARK: What differs

    /// Names whose resources may differ between `old` and this set: all that do, and perhaps a few that do not. Layers that are in
    /// both are not looked at. Of the others, what many lists had in place of what many lists have is found out once.
    package func changedNames(since old: LayeredSet) -> Set<String> {
        if isIdentical(to: old) { return [] }
        let new = layers.filter { layer in !old.layers.contains { $0 === layer } }
        var gone = old.layers.filter { layer in !layers.contains { $0 === layer } }
        // Of a name in two layers, what counts may change with their order alone.
        var changes = duplicateNames.union(old.duplicateNames)
        func add(_ names: Set<String>) { if changes.isEmpty { changes = names } else { changes.formUnion(names) } }
        // Those that were derived from another, and of the rest each from the one in its place. Any order gives all that differs.
        var others: [ResourceSet] = []
        for layer in new {
            if let index = gone.firstIndex(where: layer.isDerived) {
                add(layer.changedNames(since: gone.remove(at: index)))
            } else {
                others.append(layer)
            }
        }
        for (index, layer) in others.enumerated() {
            add(layer.changedNames(since: index < gone.count ? gone[index] : .empty))
        }
        for layer in gone.dropFirst(others.count) { add(layer.changedNames(since: .empty)) }
        return changes
    }

    /// The layers that differ between two lists, by ``ResourceSet/id``: all that a response which clients share depends on. Clients that
    /// have other layers beside them can be told the same.
    ///
    /// - Parameter named: names of which something is said whether they differ or not.
    func difference(from old: LayeredSet, and named: NameSet?) -> (old: [UInt64], new: [UInt64]) {
        let isPlain = duplicateNames.isEmpty && old.duplicateNames.isEmpty
        func isPassedOver(_ layer: ResourceSet, in other: LayeredSet) -> Bool {
            guard isPlain, other.layers.contains(where: { $0 === layer }) else { return false }
            return named.map { isOwn(layer, beside: $0) } ?? true
        }
        return (
            old.layers.filter { !isPassedOver($0, in: self) }.map(\.id),
            layers.filter { !isPassedOver($0, in: old) }.map(\.id)
        )
    }

    /// All that a response to a client that comes back depends on, if other clients are to share it: what the client says it has, without
    /// the small layers of its own that it has as they are, and the layers that are left. If it does not have its own ones as they are,
    /// the first is what no client has.
    ///
    /// - Parameter names: that it asks for.
    func remainder(of initialVersions: VersionList, and names: NameSet) -> (has: NameSet.Fingerprint, layers: [UInt64])
    {
        var has = initialVersions.fingerprint
        guard duplicateNames.isEmpty else { return (has, layers.map(\.id)) }
        let own = layers.filter { isOwn($0, beside: names) }
        for layer in own { has -= layer.fingerprint }
        return (has, layers.filter { layer in !own.contains { $0 === layer } }.map(\.id))
    }

    /// Whether a layer is small, and has none of `names`. A large one is one that others have, too.
    private func isOwn(_ layer: ResourceSet, beside names: NameSet) -> Bool {
        layer.count < ResponseCache.minimum && !layer.names.contains(where: names.contains)
    }

    // MARK: Responses

    /// The field `resources` of a response with everything that is visible, in pieces that are shared.
    func body(_ form: ResponseForm) -> [SharedBytes] {
        layers.enumerated().flatMap { index, layer in
            let isWhole = !duplicateNames.contains { layer[$0] != nil && isHidden($0, from: index) }
            return isWhole ? [layer.body(form)] : visible[index].map { $0.field(form) }
        }
    }
}
