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
    ///   - routes: what a release does to rules, and `observed` what sidecars count of its traffic; only reading one tells.
    func json(
        warnings: [Violation] = [], refusal: ObjectRefusal? = nil, routes: [String: JSONValue] = [:],
        observed: JSONValue? = nil
    ) -> JSONValue {
        .fields([
            "apiVersion": "sluice/v1",
            "kind": .string(key.kind.name),
            "metadata": metadataJSON(),
            "spec": spec,
            "status": statusJSON(refusal, routes, observed),
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
    private func statusJSON(
        _ refusal: ObjectRefusal?, _ routes: [String: JSONValue], _ observed: JSONValue?
    ) -> JSONValue {
        var members = status.objectValue ?? [:]
        members["observedGeneration"] = .integer(generation)
        if key.kind == .cluster { members["phase"] = "Ready" }
        let conditions = conditions(refusal)
        if members["phase"] == nil {
            let accepted = conditions.arrayValue?.first { $0["type"] == "Accepted" }
            members["phase"] = accepted?["status"] == "False" ? "NotInForce" : "Accepted"
        }
        members["conditions"] = conditions
        if !routes.isEmpty { members["routes"] = .object(routes) }
        if let observed, case .object(var traffic)? = members["traffic"] {
            traffic["observed"] = observed
            members["traffic"] = .object(traffic)
        }
        return .object(members)
    }
}
