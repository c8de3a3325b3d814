internal import Documents
internal import MeshCore
internal import MeshModel
internal import Postgres

/// A hook that writes beside the rows of an object itself, for kinds of which something else depends on them.
protocol KindHook: Sendable {
    /// Statements that belong to a write, behind those of the object.
    func statements(
        for write: ObjectWrite, _ key: ObjectKey, _ transaction: StoreTransaction
    ) throws -> [Statement]

    /// Whether the last of the statements raises the revisions of meshes that are not known before, and returns their names.
    var raisesMeshes: Bool { get }
    /// Whether a release may be due because of a write.
    var wakesReleases: Bool { get }
    /// Whether ``deleteMore(with:_:)`` does something.
    var hasMoreToDelete: Bool { get }

    /// Deletes what goes with an object that is deleted already.
    func deleteMore(with key: ObjectKey, _ transaction: StoreTransaction) async throws
}

/// How an object is written.
enum ObjectWrite {
    /// With its `spec`.
    case creating(JSONValue)
    case replacing(JSONValue, with: JSONValue)
    /// The `status` alone.
    case status
    case deleting(StoredObject)
}

extension KindHook {
    func statements(
        for write: ObjectWrite, _ key: ObjectKey, _ transaction: StoreTransaction
    ) throws -> [Statement] { [] }
    var raisesMeshes: Bool { false }
    var wakesReleases: Bool { false }
    var hasMoreToDelete: Bool { false }
    func deleteMore(with key: ObjectKey, _ transaction: StoreTransaction) async throws {}
}

extension Kind {
    /// The one list of what the store does differently for some kinds.
    private static let hooks: [Kind: any KindHook] = [
        .tenant: TenantHook(),
        .cluster: ClusterHook(),
        .mesh: MeshHook(),
        .endpoint: EndpointHook(),
        .release: ReleaseHook(),
        .freezeWindow: FreezeWindowHook(),
    ]

    private struct NoHook: KindHook {}

    var hook: any KindHook { Self.hooks[self] ?? NoHook() }
}
