internal import Documents
internal import HTTPTypes
internal import MeshControl
internal import MeshCore
internal import MeshIdentity
internal import MeshStore

/// Keys of a tenant. The secret of one is in the answer that made it and nowhere else.
struct APIKeyRoutes: Sendable {
    let control: ControlPlane

    var routes: [Route] {
        let path = ObjectPaths.tenant + "/apiKeys"
        return [
            Route(.get, path, "listAPIKeys", .needs(.readAPIKeys), query: ["pageSize", "pageToken"]) {
                try await self.list($0)
            },
            Route(
                .post, path, "createAPIKey", .needs(.writeAPIKeys), body: .json(required: true),
                query: ObjectRoutes.writeQuery
            ) {
                try await self.create($0)
            },
            Route(.delete, path + "/{apiKey}", "deleteAPIKey", .needs(.writeAPIKeys), query: ["validateOnly"]) {
                try await self.revoke($0)
            },
        ]
    }

    private func list(_ request: APIRequest) async throws -> APIAnswer {
        let paging = Paging(request.query) { parts in parts.count == 1 ? Name(parts[0]) : nil }
        try request.query.check()
        let keys = try await control.apiKeys(
            of: request.name("tenant"), after: paging.after, limit: paging.size + 1, by: request.caller)
        let items = Array(keys.prefix(paging.size))
        let next = keys.count > paging.size ? items.last.map { [$0.id.text] } : nil
        return .page(items.map(\.json), next: next)
    }

    private func create(_ request: APIRequest) async throws -> APIAnswer {
        let outcome = try await control.createAPIKey(
            of: request.name("tenant"), request.body, request.writeOptions(), by: request.caller,
            recording: { Self.answer($0, showsSecret: false).stored })
        return APIAnswer(outcome) { Self.answer($0, showsSecret: true) }
    }

    private static func answer(_ issued: IssuedAPIKey, showsSecret: Bool) -> APIAnswer {
        let headers: HTTPFields = [
            .location: "/v1/tenants/\(issued.key.tenant)/apiKeys/\(issued.key.id)", .cacheControl: "no-store",
        ]
        return .document(
            .fields([
                "token": showsSecret ? .string(issued.secret.reveal()) : nil,
                "apiKey": issued.key.json,
                "warnings": .list(issued.warnings, \.json),
            ]), .created, headers: headers)
    }

    private func revoke(_ request: APIRequest) async throws -> APIAnswer {
        try await control.revokeAPIKey(
            request.name("apiKey"), of: request.name("tenant"), request.writeOptions(), by: request.caller)
        return APIAnswer(.noContent)
    }
}

extension StoredAPIKey {
    fileprivate var json: JSONValue {
        .fields([
            "id": .string(id.text),
            "prefix": .string(prefix),
            "displayName": .string(description),
            "role": .string(role),
            "meshes": .array(meshes.map { .string($0.text) }),
            "namespaces": .array(namespaces.map { .string($0.text) }),
            "owner": owner.map(JSONValue.string),
            "groups": JSONValue.list(groups, JSONValue.string),
            "createTime": .string(createTime.text),
            "expireTime": expireTime.map { .string($0.text) },
        ])
    }
}
