package import MeshCore
package import MeshIdentity
internal import MeshModel
package import MeshStore

/// What an object has to do with others.
package struct ObjectReferences: Sendable {
    /// What it names, in the order of its document, and whether that exists.
    package var uses: [(referrer: Referrer, exists: Bool)]
    /// A page of what names it.
    package var usedBy: ReferrerPage
}

extension ControlPlane {
    /// What an object names, and what names it: as much of both as the caller may read.
    ///
    /// - Parameters:
    ///   - after: of the list of what names it.
    ///   - pageSize: of that list. A page may have less, without what the caller may not read.
    /// - Throws: as ``fetch(_:by:)``.
    package func references(
        of key: ObjectKey, after: ReferrerCursor?, pageSize: Int, by caller: Caller
    ) async throws -> ObjectReferences {
        let object = try await fetch(key, by: caller)
        let named = key.kind.references(in: object.spec, of: key).filter { mayRead($0.target, caller) }
        return try await translatingErrors {
            let existing = Set(try await store.fetch(Array(Set(named.map(\.target)))).map(\.key))
            var usedBy = try await store.referrers(ReferrerQuery(to: key, after: after, limit: pageSize))
            usedBy.items.removeAll { !mayRead($0.object, caller) }
            return ObjectReferences(
                uses: named.map { (Referrer(key, $0), existing.contains($0.target)) }, usedBy: usedBy)
        }
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
