internal import Documents
internal import MeshCompiler
internal import MeshCore
internal import MeshFeed
internal import MeshModel
internal import MeshStore

extension ControlPlane {
    /// The mesh that an object stands in, as this replica knows it; empty if there is none yet.
    ///
    /// - Returns: `nil` if the object stands in no mesh.
    func knownState(of key: ObjectKey) async throws -> MeshState? {
        guard let mesh = key.meshKey else { return nil }
        do {
            return try await mirror.state(of: mesh, atLeast: 0)
        } catch StoreError.notFound {
            return MeshState(mesh: mesh)
        } catch let error as StoreError {
            throw ControlError(error)
        }
    }
}

extension PlannedWrite {
    /// The changes of the feed that are read at a time.
    private static let feedPage = 1000

    /// The mesh as the transaction sees it, without this write: what the replica knew, and what was committed since.
    func meshState(in transaction: StoreTransaction) async throws -> MeshState {
        guard var state = base else { throw ControlError.fault("\(key.kind) does not say that it needs its mesh") }
        do {
            while true {
                let feed = try await transaction.changes(
                    state.mesh, of: state.life, after: state.revision, limit: Self.feedPage)
                if feed.compacted {
                    let loaded = try await transaction.loadMesh(state.mesh)
                    state = MeshState(mesh: state.mesh, revision: loaded.revision)
                    state.life = loaded.life
                    _ = state.apply((loaded.clusters + loaded.objects).inputs(for: state.mesh))
                    return state
                }
                if feed.revision > state.revision {
                    _ = state.apply(feed.changed.inputs(for: state.mesh), deleted: feed.deleted)
                    state.revision = feed.revision
                }
                if feed.isComplete { return state }
            }
        } catch StoreError.notFound {
            return MeshState(mesh: state.mesh)
        }
    }
}

extension StateNames {
    /// The object that defines a host, which whoever wants the host has to lock.
    ///
    /// - Returns: `nil` if the host does not exist, as far as the state says.
    mutating func definingObject(of host: Host, in mesh: MeshKey) -> ObjectKey? {
        guard service(host) != nil else { return nil }
        if let definition = definition(of: host) {
            return .namespaced(definition.kind, definition.object, in: mesh)
        }
        return host.service.map { .namespaced(.service, $0, in: mesh) }
    }
}

extension PlannedWrite {
    /// Objects beside the written one that a warning is given about.
    private static let maxOthers = 20

    /// The diagnostics before and after the write, found by compiling what the write touches.
    ///
    /// - Parameters:
    ///   - state: the mesh without the write.
    ///   - change: what the write changes in it.
    func dryRun(in state: MeshState, _ change: (inout MeshState, inout MeshChange) -> Void) -> DryRun {
        var (new, touched) = (state, MeshChange())
        change(&new, &touched)
        return DryRun(touched, from: state, to: new)
    }

    /// Warns of all that is to be said about the written object, and of what the write does to others.
    ///
    /// - Returns: what will be said about the object, for its conditions.
    func warn(of run: DryRun) -> [ObjectCondition] {
        let own = run.after.filter { $0.object == key }.inOrder
        let others = run.caused.filter { $0.object != key && control.mayRead($0.object, caller) }.inOrder
        for diagnostic in own { warn(of: diagnostic) }
        for diagnostic in others.prefix(Self.maxOthers) { warn(of: diagnostic) }
        if others.count > Self.maxOthers {
            log.warn(
                .root, .conflict, "\(others.count - Self.maxOthers) more findings about other objects; see :analyze")
        }
        return own.conditions[key] ?? []
    }

    private func warn(of diagnostic: Diagnostic) {
        // Every code of a diagnostic is one of violations; a test compares them.
        let code = Violation.Code(rawValue: diagnostic.code.rawValue) ?? .conflict
        let object = diagnostic.object == key ? nil : diagnostic.object
        let detail = object.map { "\($0.described): \(diagnostic.detail)" } ?? diagnostic.detail
        log.warn(diagnostic.pointer, code, detail, object: object?.reference)
    }
}
