internal import Documents
internal import MeshCore
internal import MeshModel
internal import MeshStore

struct ClusterWriteRules: ObjectWriteRules {
    func carryOut(_ write: PlannedWrite, in transaction: StoreTransaction) async throws -> WrittenObject {
        var spec = try write.spec(as: ClusterSpec.self)
        if let old = write.oldSpec(as: ClusterSpec.self) {
            if let mesh = spec.mesh, mesh != old.mesh {
                write.log.report(
                    JSONPointer.spec.appending("mesh"), .immutable,
                    "is changed by mesh:enable and mesh:disable; leave it out or as it is")
            }
            spec.mesh = old.mesh
            return try await write.put(spec, in: transaction)
        }
        guard let mesh = spec.mesh, mesh.enabled else { return try await write.put(spec, in: transaction) }
        try write.control.authorise(write.caller, .custom("enableMesh", of: .cluster), in: ObjectScope(write.key))
        var written = try await write.put(spec, in: transaction)
        written.operation = try await transaction.recordDone(.enable, on: written.object)
        return written
    }
}
