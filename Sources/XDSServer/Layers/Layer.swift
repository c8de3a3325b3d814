/// A part of what a source's clients are served, of all types: what many have in common, or what one has for itself. Immutable.
/// Clients have short lists of layers (``Snapshot``).
package final class Layer: Sendable {
    /// The sets by type, without types of which there is nothing.
    package let sets: [ResourceType: ResourceSet]

    package static let empty = Layer([:])

    package init(_ sets: [ResourceType: ResourceSet]) { self.sets = sets.filter { !$0.value.isEmpty } }

    package subscript(type: ResourceType) -> ResourceSet { sets[type] ?? .empty }

    package var isEmpty: Bool { sets.isEmpty }
}
