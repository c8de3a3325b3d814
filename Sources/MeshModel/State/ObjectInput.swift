internal import Parallel
package import Documents
package import MeshCore

/// A stored object, read into the compiler's input.
///
/// Reading the documents is most of the work of loading a mesh. It is done here, many at a time, so that a state that others wait
/// for need not be held meanwhile.
package struct ObjectInput: Sendable {
    package let key: ObjectKey
    /// Whether its `spec` could be read, which it should.
    package let isReadable: Bool
    /// Its kind's ``ResourceKind/Input``; `nil`: nothing.
    let value: (any Sendable)?

    /// - Parameter mesh: whose state it is for.
    package init(_ object: StoredObject, for mesh: MeshKey) {
        key = object.key
        (isReadable, value) = Self.read(object, as: object.key.kind.specType, for: mesh)
    }

    private static func read<K: ResourceKind>(
        _ object: StoredObject, as kind: K.Type, for mesh: MeshKey
    ) -> (isReadable: Bool, (any Sendable)?) {
        guard let spec: K = object.decodedSpec() else { return (false, nil) }
        return (true, K.input(spec, of: object, in: mesh))
    }
}

extension [StoredObject] {
    package func inputs(for mesh: MeshKey) -> [ObjectInput] { mapInParallel { ObjectInput($0, for: mesh) } }
}

extension StoredObject {
    /// The stored `spec` as a value of its kind; `nil` if it cannot be read.
    package func decodedSpec<Spec: Document>(as type: Spec.Type = Spec.self) -> Spec? {
        Spec.read(spec, at: .root, log: ViolationLog(ofStored: true))
    }
}
