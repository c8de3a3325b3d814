package import MeshCore
internal import MeshFeed
package import MeshIdentity
internal import MeshStore

extension ControlPlane {
    /// Watches the objects of a kind in a scope. Whoever may list them may.
    ///
    /// - Parameters:
    ///   - kind: not that of tenants, whose changes have no common order.
    ///   - labels: objects must have all of these.
    ///   - revision: what the caller has already; `nil`: it wants what is there first.
    /// - Throws: ``ControlError/gone`` if the changes after the revision are not known, besides what a list throws.
    package func watch(
        _ kind: Kind, in scope: ObjectScope, labels: [(name: String, value: String)], after revision: Revision?,
        by caller: Caller
    ) async throws -> ListWatch {
        guard let tenant = scope.tenant else { throw ControlError.fault("\(kind) cannot be watched") }
        try authorise(caller, .read(kind), in: scope)
        try await checkParents(of: scope)
        let query = ListQuery(
            kind: kind, tenant: tenant, mesh: scope.mesh, namespace: scope.namespace, service: scope.service,
            labels: labels)
        return try await watch(.objects(query, of: tenant), after: revision)
    }

    /// Watches the proxies of a mesh. Whoever may list them may.
    ///
    /// - Parameters:
    ///   - namespace: the only one whose proxies are told; `nil`: all.
    ///   - revision: of the mesh's proxies; as for objects.
    /// - Throws: as for objects.
    package func watchProxies(
        of mesh: MeshKey, namespace: Name?, after revision: Revision?, by caller: Caller
    ) async throws -> ListWatch {
        try authorise(caller, .readProxies, in: ObjectScope(mesh, namespace: namespace))
        return try await watch(.proxies(mesh, namespace: namespace), after: revision)
    }

    private func watch(_ list: WatchedList, after revision: Revision?) async throws -> ListWatch {
        try await translatingErrors {
            let newest = try await store.revision(of: list.feed, resuming: revision)
            var conditions: Int64 = 0
            // Before what is there is read, which comes with its conditions.
            if revision == nil, case .objects(let tenant, let mesh?) = list.feed {
                conditions = try await store.conditionSequence(of: MeshKey(tenant: tenant, mesh: mesh))
            }
            return ListWatch(
                list, resuming: revision, newest: newest, conditions: ConditionCursor(after: conditions),
                inbox: WatchInbox(), store: store, feeds: feeds)
        }
    }
}
