internal import Documents
internal import HTTPTypes
internal import MeshControl
internal import MeshCore
internal import MeshModel

/// `clusters/{cluster}/mesh`: whether the mesh is enabled on a cluster, and the methods that change it.
struct ClusterMeshRoutes: Sendable {
    let control: ControlPlane

    var routes: [Route] {
        let path = ObjectPaths.item(.cluster) + "/mesh"
        return [
            Route(.get, path, "getClusterMesh", .needs(.read(.cluster))) { try await self.fetch($0) },
            Route(
                .post, "\(path):enable", "enableClusterMesh", .needs(.custom("enableMesh", of: .cluster)),
                body: .json(required: false),
                query: ObjectRoutes.writeQuery
            ) {
                try await self.change($0, enable: true)
            },
            Route(
                .post, "\(path):disable", "disableClusterMesh", .needs(.custom("enableMesh", of: .cluster)),
                body: .json(required: false),
                query: ObjectRoutes.writeQuery
            ) {
                try await self.change($0, enable: false)
            },
        ]
    }

    private func fetch(_ request: APIRequest) async throws -> APIAnswer {
        let cluster = try await control.fetch(request.key(.cluster), by: request.caller)
        let version = ObjectVersion(cluster)
        if request.has(version) { return .notModified(version) }
        return .document(Self.document(of: cluster), headers: [.eTag: version.entityTag])
    }

    private func change(_ request: APIRequest, enable: Bool) async throws -> APIAnswer {
        let outcome = try await control.changeMesh(
            of: request.key(.cluster), enable: enable, request.body, request.writeOptions(), by: request.caller,
            recording: { APIAnswer.written($0).stored })
        return APIAnswer(outcome) { .written($0) }
    }

    /// The singleton `mesh` of a cluster.
    private static func document(of cluster: StoredObject) -> JSONValue {
        let spec =
            ClusterSpec.read(cluster.spec, at: .root, log: ViolationLog(ofStored: true))?.mesh
            ?? ClusterMeshSpec(enabled: false)
        return [
            "apiVersion": "sluice/v1",
            "kind": "ClusterMesh",
            "metadata": cluster.metadataJSON(name: "mesh"),
            "spec": spec.json,
            "status": [
                "phase": spec.enabled ? "Enabled" : "Disabled",
                "observedGeneration": .integer(cluster.generation),
                "conditions": [
                    [
                        "type": "Ready", "status": spec.enabled ? "True" : "False",
                        "reason": spec.enabled ? "Enabled" : "Disabled", "message": "",
                        "lastTransitionTime": .string(cluster.updateTime.text),
                    ]
                ],
            ],
        ]
    }
}
