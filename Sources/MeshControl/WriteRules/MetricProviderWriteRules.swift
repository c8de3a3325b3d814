internal import Documents
internal import Egress
internal import MeshModel
internal import MeshStore

struct MetricProviderWriteRules: ObjectWriteRules {
    func carryOut(_ write: PlannedWrite, in transaction: StoreTransaction) async throws -> WrittenObject {
        let spec = try write.spec(as: MetricProviderSpec.self)
        let place = JSONPointer.spec.appending(spec.source.rawValue).appending("url")
        do throws(EgressFailure) {
            _ = try EgressURL(spec.address.url)
            if spec.address.url.contains("?") { write.log.report(place, .invalidFormat, "must not have a query") }
        } catch {
            write.log.report(place, .invalidFormat, "\(error)")
        }
        return try await write.put(spec, in: transaction)
    }
}
