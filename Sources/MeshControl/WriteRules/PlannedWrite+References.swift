internal import Documents
internal import MeshCore
internal import MeshIdentity
internal import MeshModel
internal import MeshStore

extension PlannedWrite {
    /// The most names that are suggested in the place of one that does not exist.
    private static let maxChoices = 20

    /// Checks that the caller has the right that a reference to another namespace needs there.
    func checkRights() throws {
        for reference in references {
            guard reference.right == .write, let namespace = reference.target.namespace else { continue }
            try checkRight(in: namespace, reference.pointer)
        }
    }

    /// Checks that the caller may write objects of the written kind in another namespace too, about whose objects the
    /// write decides.
    func checkRight(in namespace: Name, _ pointer: JSONPointer) throws {
        guard namespace != key.namespace else { return }
        do {
            try control.authorise(caller, .update(key.kind), in: ObjectScope(try mesh(), namespace: namespace))
        } catch ControlError.forbidden(let permission) {
            throw ControlError.forbiddenThere(permission, namespace: namespace, pointer)
        }
    }

    /// The write without references at some places, which mean something else than they seem to.
    func settingAside(_ places: Set<JSONPointer>) -> PlannedWrite {
        var write = self
        write.references.removeAll { places.contains($0.pointer) }
        return write
    }

    /// Refuses a draft with more references than ``Limits/referencesPerObject``.
    func checkNumberOfReferences() throws {
        let limit = Limits.referencesPerObject
        guard !limit.allows(references.count) else { return }
        log.report(
            JSONPointer.spec, .tooMany,
            "names or may mean other objects in \(references.count) places; allowed are \(limit.rule)")
        try log.check(options)
    }

    /// Sees to it that what the draft refers to, and the object that it is a child of, stays until it is written.
    ///
    /// Who only asks what a write would come to has nobody wait.
    ///
    /// - Throws: ``ControlError/notFound(_:)`` if there is no such parent.
    mutating func hold(in transaction: StoreTransaction) async throws {
        var keys = Set(references.filter(\.strength.keeps).map(\.target))
        if let parent = key.parent { keys.insert(parent) }
        if options.validateOnly {
            held = Dictionary(try await transaction.fetch(Array(keys)).map { ($0.key, $0) }) { first, _ in first }
        } else {
            held = try await transaction.hold(keys)
        }
        if let parent = key.parent, held[parent] == nil { throw ControlError.notFound(parent.described) }
    }

    /// Reports strong references to what does not exist.
    func checkTargets(in transaction: StoreTransaction) async throws {
        // By the kind and the place of what is named.
        var choices: [[String]: [String]] = [:]
        for reference in references where reference.strength == .strong && held[reference.target] == nil {
            let target = reference.target
            let place = [
                target.kind.name, target.mesh?.text ?? "", target.namespace?.text ?? "", target.service?.text ?? "",
            ]
            if choices[place] == nil { choices[place] = try await self.choices(besides: target, in: transaction) }
            log.report(
                reference.pointer, .unknownReference, "there is no \(target.described)", choices: choices[place] ?? [])
        }
    }

    /// The names of objects in the place of a target that does not exist, as far as the caller may know of them.
    private func choices(besides target: ObjectKey, in transaction: StoreTransaction) async throws -> [String] {
        guard control.mayRead(target, caller) else { return [] }
        let query = ListQuery(
            kind: target.kind, tenant: target.tenant, mesh: target.mesh, namespace: target.namespace,
            service: target.service, pageSize: Self.maxChoices)
        return try await transaction.list(query).items.map(\.key.name.text)
    }
}

extension ControlPlane {
    /// Refuses to delete what other objects refer to or stand in.
    func checkIsUnused(_ object: StoredObject, in transaction: StoreTransaction) async throws {
        let key = object.key
        let limit = ControlError.Conflict.shown + 1
        var users: [ObjectKey] = []
        for kind in kinds.all {
            guard users.count < limit, let query = ListQuery(of: kind, in: key, pageSize: limit) else { continue }
            users += try await transaction.list(query).items.map(\.key)
        }
        let query = ReferrerQuery(to: key, keeping: true, onePerObject: true, limit: limit)
        let referrers = try await transaction.referrers(query)
        users += referrers.items.map(\.object).filter { !users.contains($0) }
        guard users.isEmpty && referrers.unknown.isEmpty else {
            throw ControlError.conflict(.inUse(key, by: users, besides: referrers.unknown))
        }
    }
}

extension ReferrerPage {
    /// Refuses to take away what somebody names, also somebody that only a newer version of this server knows.
    func check(_ key: ObjectKey) throws(ControlError) {
        guard items.isEmpty && unknown.isEmpty else {
            throw .conflict(.inUse(key, by: items.map(\.object), besides: unknown))
        }
    }
}

extension ListQuery {
    /// The objects of a kind that stand in another object.
    ///
    /// - Returns: `nil` if none can.
    fileprivate init?(of kind: Kind, in key: ObjectKey, pageSize: Int) {
        switch (key.kind, kind.scope) {
        case (.mesh, .namespace), (.mesh, .child):
            self.init(kind: kind, tenant: key.tenant, mesh: key.name, pageSize: pageSize)
        case (_, .child(of: key.kind.name)):
            self.init(
                kind: kind, tenant: key.tenant, mesh: key.mesh, namespace: key.namespace, service: key.name,
                pageSize: pageSize)
        default: return nil
        }
    }
}
