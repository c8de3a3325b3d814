internal import HashTreeCollections
package import MeshCore

/// Values by name. Copies share what they have in common: readers hold states of a mesh, so a dictionary would be copied whole at
/// the first write after each (10 000 entries: 125 to 170 µs for one change; this takes 2 µs). To look one up takes a little longer
/// than in a dictionary, and to go through all of them several times as long.
package struct Table<Value: Hashable & Sendable>: Hashable, Sendable {
    private var entries = TreeDictionary<NamespacedName, Value>()

    package init() {}

    package subscript(_ name: NamespacedName) -> Value? {
        get { entries[name] }
        set { entries[name] = newValue }
    }

    /// A value that is changed in place: of a service with many endpoints one is put in without the others being copied.
    package subscript(_ name: NamespacedName, default standard: @autoclosure () -> Value) -> Value {
        get { entries[name] ?? standard() }
        _modify { yield &entries[name, default: standard()] }
    }

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }
    package var keys: some Sequence<NamespacedName> & Sendable { entries.keys }
    package var values: some Sequence<Value> & Sendable { entries.values }

    package func filter(_ isIncluded: ((key: NamespacedName, value: Value)) -> Bool) -> Table {
        var table = Table()
        table.entries = entries.filter { isIncluded(($0.key, $0.value)) }
        return table
    }

    /// The names whose values are different, or are in one of both only.
    package func names(differentIn other: Table) -> Set<NamespacedName> {
        var names = Set(entries.keys.filter { other.entries[$0] == nil })
        for (name, value) in other.entries where entries[name] != value { names.insert(name) }
        return names
    }
}

extension Table: Sequence {
    package struct Iterator: IteratorProtocol {
        fileprivate var entries: TreeDictionary<NamespacedName, Value>.Iterator

        package mutating func next() -> (key: NamespacedName, value: Value)? { entries.next() }
    }

    package func makeIterator() -> Iterator { Iterator(entries: entries.makeIterator()) }
    package var underestimatedCount: Int { entries.count }
}
