package import MeshCore
package import MeshModel

/// The definitions of hosts of one name: in each namespace the oldest holds.
package struct HostDefinitions: Sendable {
    /// The definitions that hold, by namespace.
    private let holding: [Name: HostDefinition]
    /// The definitions that hold and that other namespaces see too, the oldest first.
    private let exported: [HostDefinition]
    /// The definitions that do not hold.
    let others: [HostDefinition]

    package static let none = HostDefinitions([])

    /// - Parameter all: in any order.
    package init(_ all: [HostDefinition]) {
        var (holding, others): ([Name: HostDefinition], [HostDefinition]) = ([:], [])
        let byAge =
            all.count < 2 ? all : all.sorted { ($0.host.createTime, $0.object) < ($1.host.createTime, $1.object) }
        for definition in byAge {
            if holding[definition.object.namespace] == nil {
                holding[definition.object.namespace] = definition
            } else {
                others.append(definition)
            }
        }
        self.holding = holding
        self.others = others
        exported = byAge.filter { definition in
            let namespace = definition.object.namespace
            return holding[namespace] == definition && definition.host.export != .namespaces([namespace])
        }
    }

    package var isEmpty: Bool { holding.isEmpty }
    /// How many there are.
    package var count: Int { holding.count + others.count }

    /// The one that holds in a namespace.
    package subscript(_ namespace: Name) -> HostDefinition? { holding[namespace] }

    /// The one that a namespace means by the name: its own, or the oldest of those that are there for it too.
    ///
    /// - Parameter owner: the namespace of the service that has the name. Its name is nobody else's to define for others.
    func seen(from namespace: Name, owner: Name?) -> HostDefinition? {
        if let own = holding[namespace] { return own }
        if let owner { return holding[owner].flatMap { $0.host.export.contains(namespace) ? $0 : nil } }
        return exported.first { $0.host.export.contains(namespace) }
    }

    /// The namespaces where the name means a namespace's own definition; and the one that is meant instead in a
    /// namespace that the definition is exported to.
    ///
    /// - Parameter owner: as for ``seen(from:owner:)``.
    func visibility(of namespace: Name, owner: Name?) -> (IR.Visibility, hiddenBy: HostDefinition?) {
        guard let own = holding[namespace] else { return (.only([]), nil) }
        if let owner, owner != namespace { return (.only([namespace]), nil) }
        let older = exported.prefix { $0 != own }
        let rivals = owner == nil ? Array(older) : []
        switch own.host.export {
        case .namespaces(let namespaces):
            let seen = namespaces.filter { reader in
                (reader == namespace || holding[reader] == nil) && !rivals.contains { $0.host.export.contains(reader) }
            }.union([namespace])
            let hidden = namespaces.subtracting(seen).sorted().first
            return (.only(seen), hidden.flatMap { self.seen(from: $0, owner: owner) })
        case .everybody:
            var hidden = Set(holding.keys)
            for rival in rivals {
                guard case .namespaces(let namespaces) = rival.host.export else { return (.only([namespace]), rival) }
                hidden.formUnion(namespaces)
            }
            return (.all(but: hidden.subtracting([namespace])), nil)
        }
    }
}
