package import MeshCore

/// The inputs of one kind in the state of a mesh.
package protocol StateTable: Sendable {
    /// Takes over what an object is to the compiler now, and notes it if that is something else than before.
    ///
    /// - Parameter input: the kind's ``ResourceKind/Input``; `nil`: nothing.
    mutating func put(_ key: ObjectKey, _ input: (any Sendable)?, _ change: inout MeshChange)

    /// Notes in what a later table of the same kind differs.
    func compare(with new: any StateTable, _ change: inout MeshChange)

    /// The names by which objects can be asked for: their own, or their parents'.
    var names: [NamespacedName] { get }

    /// The hosts that an object defines.
    func definitions(by name: NamespacedName) -> [DefinedHost]

    /// The mentions and definitions of the objects of a name.
    ///
    /// - Parameter other: of the same kind; objects that are the same there are left out. `nil`: none is.
    func mentions(of name: NamespacedName, differentIn other: (any StateTable)?) -> [(ObjectName, Mention)]
}

/// The inputs of a kind whose scope is a namespace.
struct NamespaceTable<K: ResourceKind>: StateTable {
    private(set) var table = Table<K.Input>()

    init() {}
    init(_ table: Table<K.Input>) { self.table = table }

    mutating func put(_ key: ObjectKey, _ input: (any Sendable)?, _ change: inout MeshChange) {
        guard let name = key.namespacedName else { return }
        let input = input as? K.Input
        guard table[name] != input else { return }
        table[name] = input
        change.insert(name, of: key.kind)
    }

    func compare(with new: any StateTable, _ change: inout MeshChange) {
        guard let new = new as? Self else { return }
        change[kinds[K.self]] = table.names(differentIn: new.table)
    }

    var names: [NamespacedName] { Array(table.keys) }

    func mentions(of name: NamespacedName, differentIn other: (any StateTable)?) -> [(ObjectName, Mention)] {
        guard let input = table[name], (other as? Self)?.table[name] != input else { return [] }
        let mentions = K.mentions(input, of: name) + K.definitions(input).map { .definition($0.text) }
        return mentions.map { (ObjectName(name), $0) }
    }

    func definitions(by name: NamespacedName) -> [DefinedHost] { table[name].map(K.definitions) ?? [] }
}

/// The inputs of a kind of children, by parent: who looks at one looks at all of its parent.
struct ChildTable<K: ResourceKind>: StateTable {
    private(set) var table = Table<[Name: K.Input]>()

    init() {}
    init(_ table: Table<[Name: K.Input]>) { self.table = table }

    mutating func put(_ key: ObjectKey, _ input: (any Sendable)?, _ change: inout MeshChange) {
        guard let parent = key.namespacedName else { return }
        let input = input as? K.Input
        guard table[parent]?[key.name] != input else { return }
        table[parent, default: [:]][key.name] = input
        if table[parent]?.isEmpty == true { table[parent] = nil }
        change.insert(parent, of: key.kind)
    }

    func compare(with new: any StateTable, _ change: inout MeshChange) {
        guard let new = new as? Self else { return }
        change[kinds[K.self]] = table.names(differentIn: new.table)
    }

    var names: [NamespacedName] { Array(table.keys) }

    func mentions(of name: NamespacedName, differentIn other: (any StateTable)?) -> [(ObjectName, Mention)] {
        let others = (other as? Self)?.table[name] ?? [:]
        return (table[name] ?? [:]).flatMap { child, input -> [(ObjectName, Mention)] in
            guard others[child] != input else { return [] }
            return K.mentions(input, of: name).map { (ObjectName(name, child: child), $0) }
        }
    }

    func definitions(by name: NamespacedName) -> [DefinedHost] { [] }
}

/// The inputs of a kind beside all namespaces: what changes in it concerns the whole mesh.
struct GlobalTable<K: ResourceKind>: StateTable {
    private(set) var entries: [Name: K.Input] = [:]

    init() {}
    init(_ entries: [Name: K.Input]) { self.entries = entries }

    mutating func put(_ key: ObjectKey, _ input: (any Sendable)?, _ change: inout MeshChange) {
        let input = input as? K.Input
        guard entries[key.name] != input else { return }
        entries[key.name] = input
        change.everything = true
    }

    func compare(with new: any StateTable, _ change: inout MeshChange) {
        guard let new = new as? Self, entries != new.entries else { return }
        change.everything = true
    }
    var names: [NamespacedName] { [] }

    func definitions(by name: NamespacedName) -> [DefinedHost] { [] }

    func mentions(of name: NamespacedName, differentIn other: (any StateTable)?) -> [(ObjectName, Mention)] { [] }
}
