internal import Documents
internal import HTTPTypes
internal import MeshControl
internal import MeshCore
internal import MeshModel
internal import MeshStore

extension APIAnswer {
    /// One object with its entity tag.
    ///
    /// - Parameters:
    ///   - page: what holds of a release at this moment.
    static func object(
        _ object: StoredObject, refusal: ObjectRefusal?, page: ReleasePage? = nil
    ) -> APIAnswer {
        let version = ObjectVersion(object)
        return .document(
            object.json(refusal: refusal, page: page),
            headers: [.eTag: refusal == nil ? version.entityTag : version.entityTagWhileRefused])
    }

    static func notModified(_ version: ObjectVersion) -> APIAnswer {
        APIAnswer(.notModified, headers: [.eTag: version.entityTag])
    }

    /// An object that was written: 201 if it is new, 202 with the operation if something goes on because of it.
    static func written(_ written: WrittenObject) -> APIAnswer {
        if let operation = written.operation { return .operation(operation, tenant: written.object.key.tenant) }
        var headers: HTTPFields = [.eTag: ObjectVersion(written.object).entityTag]
        if written.created { headers[.location] = ObjectPaths.path(written.object.key) }
        return .document(
            written.object.json(warnings: written.warnings), written.created ? .created : .ok, headers: headers)
    }

    /// 202: what was asked for goes on behind `Location`.
    static func operation(_ operation: StoredOperation, tenant: Name) -> APIAnswer {
        let headers: HTTPFields = [
            .location: "/v1/tenants/\(tenant)/operations/\(operation.id)", .retryAfter: "1",
        ]
        return .document(operation.json(tenant: tenant), .accepted, headers: headers)
    }

    /// `{"items": […], "nextPageToken": "…"}`; without the token on the last page.
    ///
    /// - Parameter next: the parts of the token.
    static func page(_ items: [JSONValue], next: [String]?) -> APIAnswer {
        .document(.fields(["items": .array(items), "nextPageToken": next.map { .string(PageToken.of($0)) }]))
    }

    /// A call's answer, made now or replayed.
    init<T>(_ outcome: Outcome<T>, _ answer: (T) -> APIAnswer) {
        switch outcome {
        case .done(let value): self = answer(value)
        case .replayed(let recorded):
            var headers: HTTPFields = [.idempotencyReplayed: "true"]
            for (name, value) in recorded.headers {
                if let name = HTTPField.Name(name) { headers[name] = value }
            }
            self.init(HTTPResponse.Status(code: recorded.status), headers: headers, body: recorded.body)
        }
    }

    /// The answer as it is stored for an idempotency key.
    var stored: StoredAnswer {
        StoredAnswer(
            status: status.code,
            headers: Dictionary(headers.map { ($0.name.rawName, $0.value) }, uniquingKeysWith: { first, _ in first }),
            body: body)
    }
}
