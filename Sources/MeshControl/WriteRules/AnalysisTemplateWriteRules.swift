internal import Documents
internal import GrayRelease
internal import MeshCore
internal import MeshModel
internal import MeshStore

struct AnalysisTemplateWriteRules: ObjectWriteRules {
    /// Releases that a refusal names.
    private static let shown = 5
    /// Releases that are looked at: one that has ended needs no template.
    private static let looked = 1_000

    func checkDeletion(of object: StoredObject, in transaction: StoreTransaction) async throws {
        let query = ReferrerQuery(to: object.key, onePerObject: true, limit: Self.looked)
        let releases = try await transaction.referrers(query).items.map(\.object).filter { $0.kind == .release }
        let users = try await transaction.fetch(releases).filter { !ReleaseStatus($0.status).phase.isTerminal }
        guard !users.isEmpty else { return }
        let names = users.prefix(Self.shown).map(\.key.name.text).joined(separator: ", ")
        let more = users.count > Self.shown ? " and \(users.count - Self.shown) more" : ""
        throw ControlError.conflict(
            ControlError.Conflict("inUse", "releases name the template that have not ended: \(names)\(more)"))
    }
}
