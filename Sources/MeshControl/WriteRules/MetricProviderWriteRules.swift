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
        if case .header(let header)? = spec.address.auth?.method {
            do throws(EgressFailure) {
                try EgressRequest(url: spec.address.url, headers: [(header.name, "")]).check()
            } catch {
                write.log.report(spec.authPointer("header", "name"), .invalidValue, "\(error)")
            }
        }
        write.checkKeys()
        return try await write.put(spec, in: transaction)
    }
}
