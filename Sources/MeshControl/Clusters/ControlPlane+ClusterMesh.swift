package import Documents
package import MeshCore
package import MeshIdentity
internal import MeshModel
package import MeshStore

extension ControlPlane {
    /// Enables or disables the mesh on a cluster.
    ///
    /// The change and its operation are committed together, and every sidecar follows from that commit: so the operation
    /// is done as soon as anybody can read it.
    ///
    /// - Parameter body: `{"spec": {"mesh", "injection": {"namespaces"}}}`; may be empty.
    package func changeMesh(
        of key: ObjectKey, enable: Bool, _ body: JSONValue, _ options: WriteOptions, by caller: Caller,
        recording record: @escaping @Sendable (WrittenObject) -> StoredAnswer
    ) async throws -> Outcome<WrittenObject> {
        try authorise(caller, .custom("enableMesh", of: .cluster), in: ObjectScope(key))
        let log = ViolationLog()
        let requested = Self.meshSpec(body, enable: enable, log)
        try log.check(options)
        let warnings = log.warnings(options)
        return try await transact(key.tenant, nil, options, by: caller, recording: record) { transaction in
            guard let old = try await transaction.fetch(key, forUpdate: true) else {
                throw ControlError.notFound(key.described)
            }
            try options.precondition.checkIfGiven(old)
            guard var spec: ClusterSpec = old.decodedSpec() else {
                throw ControlError.fault("the stored \(key) cannot be read")
            }
            // Disabling keeps what was said about the mesh, so that enabling again needs to say nothing.
            var mesh = requested ?? spec.mesh ?? ClusterMeshSpec(enabled: enable)
            mesh.enabled = enable
            if enable {
                let log = ViolationLog()
                try await transaction.checkMesh(
                    MeshKey(tenant: key.tenant, mesh: mesh.mesh), at: JSONPointer(["spec", "mesh"]), log)
                try log.check(options)
            }
            spec.mesh = mesh
            let object = try await transaction.put(key, metadata: old.metadata, spec: spec.json, status: nil)
            let operation = try await transaction.recordDone(enable ? .enable : .disable, on: object)
            return WrittenObject(object: object, created: false, warnings: warnings, operation: operation)
        }
    }

    /// - Returns: `nil` if the body says nothing about the mesh.
    private static func meshSpec(_ body: JSONValue, enable: Bool, _ log: ViolationLog) -> ClusterMeshSpec? {
        var fields = FieldReader(body, at: .root, log: log)
        var spec: ClusterMeshSpec?
        if let document = fields.value("spec") {
            let pointer = JSONPointer(["spec"])
            spec = ClusterMeshSpec.read(document, at: pointer, log: log)
            if let said = document["enabled"]?.boolValue, said != enable {
                log.report(pointer.appending("enabled"), .conflict, "says the opposite of the method; leave it out")
            }
        }
        fields.finish()
        return spec
    }
}

/// The action of a long-running operation on its target.
enum OperationVerb: String {
    case enable = "mesh:enable"
    case disable = "mesh:disable"
}

extension StoreTransaction {
    /// Reports a mesh that the tenant does not have. One that it has stays until the transaction ends.
    func checkMesh(_ mesh: MeshKey, at pointer: JSONPointer, _ log: ViolationLog) async throws {
        guard try await hold([.mesh(mesh.mesh, of: mesh.tenant)]).isEmpty else { return }
        let query = ListQuery(kind: .mesh, tenant: mesh.tenant, pageSize: Limits.meshesPerTenant.value)
        let choices = try await list(query).items.map(\.key.name.text)
        log.report(pointer, .unknownReference, "there is no mesh \(mesh.mesh)", choices: choices)
    }

    /// Writes the operation of a change that is committed with it, and therefore done.
    func recordDone(_ verb: OperationVerb, on cluster: StoredObject) async throws -> StoredOperation {
        try await createOperation(
            metadata: [
                "verb": .string(verb.rawValue), "target": .string("clusters/\(cluster.key.name)/mesh"), "step": "Done",
                "progressPercent": 100,
            ],
            response: ["phase": verb == .enable ? "Enabled" : "Disabled", "revision": .integer(cluster.revision)])
    }
}
