package import MeshCore
package import MeshIdentity
internal import MeshModel
package import MeshStore

/// The references of an object to others, and of others to it.
package struct ObjectReferences: Sendable {
    /// The object's own references, in the order of its document, and whether their targets exist.
    package var uses: [(referrer: Referrer, exists: Bool)]
    /// A page of the references to the object.
    package var usedBy: ReferrerPage
}

extension ControlPlane {
    /// The references from an object and to it, as far as the caller may read the objects at their other ends.
    ///
    /// - Parameters:
    ///   - after: of the list of what names it.
    ///   - pageSize: of that list.
    /// - Throws: as ``fetch(_:by:)``.
    package func references(
        of key: ObjectKey, after: ReferrerCursor?, pageSize: Int, by caller: Caller
    ) async throws -> ObjectReferences {
        let object = try await fetch(key, by: caller)
        let named = (key.kind.references(in: object.spec, of: key) ?? []).filter { mayRead($0.target, caller) }
        // What may not be read is left out by the database, so that no place of a page tells of it.
        let query = ReferrerQuery(to: key, visibleIn: visibility(of: caller), after: after, limit: pageSize)
        return try await translatingErrors {
            let existing = try await store.existing(Set(named.map(\.target)))
            return ObjectReferences(
                uses: named.map { (Referrer(key, $0), existing.contains($0.target)) },
                usedBy: try await store.referrers(query))
        }
    }

    private func visibility(of caller: Caller) -> ReferrerQuery.Visibility {
        ReferrerQuery.Visibility(
            kinds: kinds.all.filter { Permission.read($0).roles.contains(caller.role) },
            meshes: caller.meshes.sorted(), namespaces: caller.namespaces.sorted())
    }

    func mayRead(_ key: ObjectKey, _ caller: Caller) -> Bool {
        do {
            try authorise(caller, .read(key.kind), in: ObjectScope(key))
            return true
        } catch {
            return false
        }
    }
}
