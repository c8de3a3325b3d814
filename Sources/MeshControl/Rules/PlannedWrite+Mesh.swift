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
    /// Of the feed, what is read at a time.
    private static let feedPage = 1000

    /// The mesh as the transaction sees it, without this write: what the replica knew, and what was committed since.
    func meshState(in transaction: StoreTransaction) async throws -> MeshState {
        guard var state = base else { throw ControlError.fault("\(key.kind) does not say that it needs its mesh") }
        do {
            while true {
                let feed = try await transaction.changes(state.mesh, after: state.revision, limit: Self.feedPage)
                if feed.compacted {
                    let loaded = try await transaction.loadMesh(state.mesh)
                    state = MeshState(mesh: state.mesh, revision: loaded.revision)
                    _ = state.apply(StoredChanges(changed: loaded.clusters + loaded.objects))
                    return state
                }
                if feed.revision > state.revision {
                    _ = state.apply(StoredChanges(changed: feed.changed, deleted: feed.deleted))
                    state.revision = feed.revision
                }
                if feed.isComplete { return state }
            }
        } catch StoreError.notFound {
            return MeshState(mesh: state.mesh)
        }
    }
}
