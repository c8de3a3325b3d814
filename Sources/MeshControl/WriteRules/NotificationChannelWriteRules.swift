internal import Documents
internal import GrayRelease
internal import MeshCore
internal import MeshModel
internal import MeshStore

struct NotificationChannelWriteRules: ObjectWriteRules {
    func carryOut(_ write: PlannedWrite, in transaction: StoreTransaction) async throws -> WrittenObject {
        write.checkKeys()
        return try await write.put(write.spec(as: NotificationChannelSpec.self), in: transaction)
    }

    func checkDeletion(of object: StoredObject, in transaction: StoreTransaction) async throws {
        try await object.checkReleasesHaveEnded("the channel", in: transaction)
    }
}

extension StoredObject {
    /// Releases that a refusal names.
    private static let shown = 5
    /// Releases that are looked at: one that has ended needs nothing.
    private static let looked = 1_000

    /// Refuses to delete what a release names that has not ended.
    ///
    /// - Parameter noun: what the object is to them.
    func checkReleasesHaveEnded(_ noun: String, in transaction: StoreTransaction) async throws {
        let query = ReferrerQuery(to: key, onePerObject: true, limit: Self.looked)
        let releases = try await transaction.referrers(query).items.map(\.object).filter { $0.kind == .release }
        let users = try await transaction.fetch(releases).filter { !ReleaseStatus($0.status).phase.isTerminal }
        guard !users.isEmpty else { return }
        let names = users.prefix(Self.shown).map(\.key.name.text).joined(separator: ", ")
        let more = users.count > Self.shown ? " and \(users.count - Self.shown) more" : ""
        throw ControlError.conflict(
            ControlError.Conflict("inUse", "releases name \(noun) that have not ended: \(names)\(more)"))
    }
}
