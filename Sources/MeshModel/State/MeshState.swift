package import MeshCore

/// Everything of one mesh that configuration is compiled from, as of one revision. A value: copies are cheap and never
/// change under their reader.
///
/// It has a table for each kind of the table of kinds; what is in it are the kinds' inputs (``ResourceKind/Input``).
package struct MeshState: Sendable {
    package var mesh: MeshKey
    /// Which mesh of this name it is; `nil`: not known.
    package var life: MeshLife?
    /// The revision that the state is of.
    package var revision: Revision
    /// By the kinds' ordinals.
    private var tables = kinds.all.map { MeshState.emptyTable(of: $0.specType) }

    package init(mesh: MeshKey, revision: Revision = 0) {
        self.mesh = mesh
        self.revision = revision
    }

    private static func emptyTable<K: ResourceKind>(of kind: K.Type) -> any StateTable {
        switch K.info.scope {
        case .platform, .tenant: GlobalTable<K>()
        case .namespace: NamespaceTable<K>()
        case .child: ChildTable<K>()
        }
    }

    /// The inputs of a kind whose scope is a namespace. Looking it up takes longer than looking into it: once a loop.
    package subscript<K: ResourceKind>(_ kind: K.Type) -> Table<K.Input> {
        get { table(kind, as: NamespaceTable<K>.self).table }
        set { tables[ordinal(kind)] = NamespaceTable<K>(newValue) }
    }

    /// The inputs of a kind of children, by parent. Children may outlive or precede their parent.
    package subscript<K: ResourceKind>(childrenOf kind: K.Type) -> Table<[Name: K.Input]> {
        get { table(kind, as: ChildTable<K>.self).table }
        set { tables[ordinal(kind)] = ChildTable<K>(newValue) }
    }

    /// The inputs of a kind that stands beside all namespaces.
    package subscript<K: ResourceKind>(global kind: K.Type) -> [Name: K.Input] {
        get { table(kind, as: GlobalTable<K>.self).entries }
        set { tables[ordinal(kind)] = GlobalTable<K>(newValue) }
    }

    private func ordinal<K: ResourceKind>(_ kind: K.Type) -> Int { Int(kinds[kind].ordinal) }

    private func table<K: ResourceKind, T: StateTable>(_ kind: K.Type, as type: T.Type) -> T {
        guard let table = tables[ordinal(kind)] as? T else { preconditionFailure("\(kind) has another scope") }
        return table
    }
}

extension MeshState {
    /// Takes in what is different in the store.
    ///
    /// An object that cannot be read is left as it was before: one bad object never stops a mesh.
    ///
    /// - Returns: what has to be looked at again. Objects that say the same as before are not part of it.
    package mutating func apply(_ inputs: [ObjectInput], deleted: [ObjectKey] = []) -> MeshChange {
        var change = MeshChange()
        for key in deleted { tables[Int(key.kind.ordinal)].put(key, nil, &change) }
        for input in inputs where input.isReadable {
            tables[Int(input.key.kind.ordinal)].put(input.key, input.value, &change)
        }
        return change
    }

    /// In what a later state of the mesh differs. States that come from one another share most of their values, so that comparing
    /// them takes little more than going through their names.
    ///
    /// - Parameter compared: the kinds that are compared.
    package func change(to new: MeshState, of compared: [Kind] = kinds.all) -> MeshChange {
        var change = MeshChange()
        for kind in compared { tables[Int(kind.ordinal)].compare(with: new.tables[Int(kind.ordinal)], &change) }
        return change
    }
}

extension MeshState {
    /// The names by which objects of a kind can be asked for: their own, or their parents'.
    package func names(of kind: Kind) -> [NamespacedName] { tables[Int(kind.ordinal)].names }

    /// The hosts that an object defines.
    package func definitions(by name: NamespacedName, _ kind: Kind) -> [DefinedHost] {
        tables[Int(kind.ordinal)].definitions(by: name)
    }

    /// The mentions by all objects of a kind that have a name, or whose parent has it.
    ///
    /// - Parameter other: a state of the same mesh; objects that are the same there are left out. `nil`: none is.
    package func mentions(
        of name: NamespacedName, _ kind: Kind, differentIn other: MeshState?
    ) -> [(object: ObjectName, mention: Mention)] {
        let ordinal = Int(kind.ordinal)
        return tables[ordinal].mentions(of: name, differentIn: other?.tables[ordinal])
    }
}
