internal import Documents
internal import MeshControl
internal import MeshCore
internal import MeshModel
internal import MeshStore

extension StoredObject {
    /// The object in the API's envelope: `apiVersion`, `kind`, `metadata`, `spec`, `status`.
    ///
    /// - Parameters:
    ///   - refusal: what proxies have against it; only reading one object tells.
    ///   - page: what holds of a release at this moment; only reading one tells.
    func json(
        warnings: [Violation] = [], refusal: ObjectRefusal? = nil, page: ReleasePage? = nil
    ) -> JSONValue {
        .fields([
            "apiVersion": "sluice/v1",
            "kind": .string(key.kind.name),
            "metadata": metadataJSON(),
            "spec": spec,
            "status": statusJSON(refusal, page),
            "warnings": .list(warnings, \.json),
        ])
    }

    /// - Parameter name: what the document is called, if it is not the object itself.
    func metadataJSON(name: String? = nil) -> JSONValue {
        .fields([
            "name": .string(name ?? key.name.text),
            "tenant": key.kind == .tenant ? nil : .string(key.tenant.text),
            "mesh": key.mesh.map { .string($0.text) },
            "namespace": key.namespace.map { .string($0.text) },
            "service": key.service.map { .string($0.text) },
            "uid": .string(uid),
            "labels": .object(metadata.labels.mapValues(JSONValue.string)),
            "annotations": .object(metadata.annotations.mapValues(JSONValue.string)),
            "generation": .integer(generation),
            "revision": .integer(revision),
            "createTime": .string(createTime.text),
            "updateTime": .string(updateTime.text),
        ])
    }

    /// The object as it is stored, with what follows from being stored: the object was accepted as of its generation.
    private func statusJSON(_ refusal: ObjectRefusal?, _ page: ReleasePage?) -> JSONValue {
        var members = status.objectValue ?? [:]
        members["observedGeneration"] = .integer(generation)
        if key.kind == .cluster { members["phase"] = "Ready" }
        let conditions = conditions(refusal)
        if members["phase"] == nil {
            let accepted = conditions.arrayValue?.first { $0["type"] == "Accepted" }
            members["phase"] = accepted?["status"] == "False" ? "NotInForce" : "Accepted"
        }
        members["conditions"] = conditions
        page?.add(to: &members)
        return .object(members)
    }
}

extension ReleasePage {
    /// Adds what it tells to the members of a status.
    fileprivate func add(to members: inout [String: JSONValue]) {
        if !routes.isEmpty { members["routes"] = .object(routes) }
        members["actions"] = .array(actions)
        guard case .object(var traffic)? = members["traffic"] else { return }
        traffic["observed"] = observed
        if !missing.isEmpty, case .object(var applied)? = traffic["applied"] {
            applied["missing"] = .array(missing.map(JSONValue.string))
            traffic["applied"] = .object(applied)
        }
        members["traffic"] = .object(traffic)
    }
}
