internal import Documents
package import MeshCore

extension SecretReference {
    /// The key of the Secret, in the namespace of an object.
    package func target(from key: ObjectKey) -> ObjectKey? {
        guard let namespace = key.namespace, let mesh = key.meshKey else { return nil }
        return .namespaced(.secret, NamespacedName(namespace: namespace, name: name), in: mesh)
    }
}

extension Reference {
    /// A value in a Secret of the object's namespace, which stays as long as the object names it.
    ///
    /// - Returns: `nil` if the object stands in no namespace.
    init?(to secret: SecretReference, at pointer: JSONPointer, of key: ObjectKey) {
        guard let target = secret.target(from: key) else { return nil }
        self.init(to: target, .key(secret.key), at: pointer, .strong)
    }
}
