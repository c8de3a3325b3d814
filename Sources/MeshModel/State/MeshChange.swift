package import MeshCore

/// The difference between two states of a mesh: the names of objects that must be looked at again.
package struct MeshChange: Hashable, Sendable {
    /// Objects by kind; of children their parents.
    private var names: [Kind: Set<NamespacedName>] = [:]
    /// Everything has to be looked at: an object beside the namespaces changed, or the state is new.
    package var everything = false

    package init() {}

    package static var all: MeshChange {
        var change = MeshChange()
        change.everything = true
        return change
    }

    package subscript(_ kind: Kind) -> Set<NamespacedName> {
        get { names[kind] ?? [] }
        set { names[kind] = newValue.isEmpty ? nil : newValue }
    }

    /// The kinds of changed objects; not all of them if ``everything`` changed.
    package var kinds: some Sequence<Kind> { names.keys }

    mutating func insert(_ name: NamespacedName, of kind: Kind) { names[kind, default: []].insert(name) }

    /// Whether something of it is waited for (``KindInfo/isUrgent``).
    package var isUrgent: Bool { names.keys.contains(where: \.info.isUrgent) }

    package var isEmpty: Bool { !everything && names.isEmpty }

    /// Adds what another change wants to be looked at again.
    package mutating func merge(_ other: MeshChange) {
        names.merge(other.names) { $0.union($1) }
        everything = everything || other.everything
    }
}
