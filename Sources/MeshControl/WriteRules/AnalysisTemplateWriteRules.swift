internal import MeshModel
internal import MeshStore

struct AnalysisTemplateWriteRules: ObjectWriteRules {
    func checkDeletion(of object: StoredObject, in transaction: StoreTransaction) async throws {
        try await object.checkReleasesHaveEnded("the template", in: transaction)
    }
}
