package import Documents
package import MeshCore
package import MeshIdentity
package import MeshModel
package import MeshStore

/// One page of a list.
package struct ObjectPage: Sendable {
    package var items: [StoredObject]
    /// The cursor of the next page; `nil`: this is the last one.
    package var next: PageCursor?
}

/// Which objects of a kind a list shows.
package struct ListOptions: Sendable {
    /// `1...1000`.
    package var pageSize: Int
    package var after: PageCursor?
    /// All of these labels.
    package var labels: [(name: String, value: String)]

    package init(pageSize: Int = 100, after: PageCursor? = nil, labels: [(name: String, value: String)] = []) {
        self.pageSize = pageSize
        self.after = after
        self.labels = labels
    }
}

/// How an object is written.
package enum ObjectChange: Sendable {
    /// POST on the collection: the body names the object, which must not exist.
    case create(JSONValue)
    /// PUT: creates or replaces as a whole.
    case replace(JSONValue)
    /// PATCH: a merge patch of what is there.
    case patch(JSONValue)
}

extension ControlPlane {
    /// - Throws: ``ControlError/notFound(_:)`` if there is no such object, or none that the caller may know of.
    package func fetch(_ key: ObjectKey, by caller: Caller) async throws -> StoredObject {
        try authorise(caller, .read(key.kind), in: ObjectScope(key))
        guard let object = try await translatingErrors({ try await store.fetch(key) }) else {
            throw ControlError.notFound(key.described)
        }
        return object
    }

    /// One object with its conditions, and what proxies have against it.
    ///
    /// - Throws: as ``fetch(_:by:)``.
    package func fetchWithRefusal(
        _ key: ObjectKey, by caller: Caller
    ) async throws -> (object: StoredObject, refusal: ObjectRefusal?) {
        guard key.kind.info.isInMesh else { return (try await fetch(key, by: caller), nil) }
        try authorise(caller, .read(key.kind), in: ObjectScope(key))
        guard key.kind.scope == .namespace else {
            guard let object = try await translatingErrors({ try await store.fetchWithConditions(key) }) else {
                throw ControlError.notFound(key.described)
            }
            return (object, nil)
        }
        guard let found = try await translatingErrors({ try await store.fetchWithRefusal(key) }) else {
            throw ControlError.notFound(key.described)
        }
        return (try await showingFreezes(of: [found.object]).first ?? found.object, found.refusal)
    }

    /// The objects of a kind in a scope, ordered by namespace, service and name. A caller of one tenant lists just that one
    /// among the tenants.
    package func list(_ kind: Kind, in scope: ObjectScope, _ options: ListOptions, by caller: Caller) async throws
        -> ObjectPage
    {
        if kind == .tenant, let own = caller.tenant {
            return ObjectPage(items: [try await fetch(.tenant(own), by: caller)], next: nil)
        }
        try authorise(caller, .read(kind), in: scope)
        let query = ListQuery(
            kind: kind, tenant: scope.tenant, mesh: scope.mesh, namespace: scope.namespace, service: scope.service,
            labels: options.labels, pageSize: options.pageSize, after: options.after)
        let page = try await translatingErrors { try await store.list(query) }
        if page.items.isEmpty, options.after == nil { try await checkParents(of: scope) }
        return ObjectPage(items: try await showingFreezes(of: page.items), next: page.next)
    }

    /// An empty list of something that does not exist is a mistake that should not look like success.
    func checkParents(of scope: ObjectScope) async throws {
        guard let tenant = scope.tenant else { return }
        var keys: [ObjectKey] = [.tenant(tenant)]
        if let mesh = scope.meshKey, let namespace = scope.namespace, let service = scope.service {
            keys.append(.namespaced(.service, NamespacedName(namespace: namespace, name: service), in: mesh))
        }
        let found = Set(try await translatingErrors { try await store.fetch(keys) }.map(\.key))
        for key in keys where !found.contains(key) { throw ControlError.notFound(key.described) }
        if let mesh = scope.meshKey, try await translatingErrors({ try await store.meshRevision(mesh) }) == nil {
            throw ControlError.notFound("mesh \(mesh.mesh)")
        }
    }

    /// Runs calls of the store and says what their errors mean to a caller.
    func translatingErrors<T>(_ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as StoreError {
            throw ControlError(error)
        }
    }
}

extension ObjectKey {
    /// For messages: `service reviews`.
    var described: String { "\(kind.info.noun) \(name)" }

    /// For messages about objects that may stand elsewhere: `Endpoint shop/reviews/e1`.
    var placed: String {
        "\(kind.name) \([namespace, service, name].compactMap { $0?.text }.joined(separator: "/"))"
    }
}
