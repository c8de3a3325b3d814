internal import Documents
internal import HTTPTypes
internal import MeshControl
internal import MeshCore
internal import MeshStore

/// Long-running operations: `{name, done, metadata{verb, target, step, progressPercent}, error, response}`.
struct OperationRoutes: Sendable {
    let control: ControlPlane

    var routes: [Route] {
        let path = ObjectPaths.tenant + "/operations/{operation}"
        return [
            Route(.get, path, "getOperation", .needs(.readOperations)) { try await self.fetch($0) },
            Route(
                .post, "\(path):wait", "waitOperation", .needs(.readOperations), body: .json(required: false),
                query: ["timeout"], isLongPoll: true
            ) {
                try await self.wait($0)
            },
        ]
    }

    private func fetch(_ request: APIRequest) async throws -> APIAnswer {
        let tenant = try request.name("tenant")
        let operation = try await control.operation(request.text("operation"), of: tenant, by: request.caller)
        return .document(operation.json(tenant: tenant))
    }

    /// Answers when the operation is done or the timeout is over, whichever is first; `done` tells which.
    private func wait(_ request: APIRequest) async throws -> APIAnswer {
        let tenant = try request.name("tenant")
        var timeout = Duration.seconds(30)
        if let text = request.query.text("timeout") {
            guard let given = Duration(text: text), given <= .seconds(300) else {
                throw Problem.invalid([
                    Violation(
                        QueryParameters.pointer("timeout"), .invalidFormat,
                        "must be a duration of at most 300s such as \"30s\"")
                ])
            }
            timeout = given
        }
        let operation = try await control.wait(
            for: request.text("operation"), of: tenant, atMost: timeout, by: request.caller)
        return .document(operation.json(tenant: tenant), headers: [.connection: "close"])
    }
}

extension StoredOperation {
    func json(tenant: Name) -> JSONValue {
        .fields([
            "name": .string("tenants/\(tenant)/operations/\(id)"),
            "done": .bool(done),
            "metadata": metadata,
            "error": error,
            "response": response,
        ])
    }
}
