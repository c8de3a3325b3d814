internal import Documents
internal import HTTPTypes
internal import MeshControl
internal import MeshCore

extension Problem {
    /// The one place where errors become statuses.
    init(describing error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as ControlError: self = Self.describing(error)
        case is CancellationError:
            self.init(
                .serviceUnavailable, "cancelled", "the request was given up", headers: [.retryAfter: "1"])
        default: self = .fault
        }
    }

    /// Says nothing of what happened: that is in the log, under the request's id.
    private static var fault: Problem {
        Problem(.internalServerError, "internal", "something went wrong in the server; its log knows the requestId")
    }

    private static func describing(_ error: ControlError) -> Problem {
        switch error {
        case .invalid(let violations): .invalid(violations)
        case .notFound(let what): Problem(.notFound, "notFound", "there is no \(what)")
        case .forbidden(let permission):
            Problem(
                .forbidden, "forbidden", "the caller lacks the permission \(permission.name) here",
                members: ["permission": .string(permission.name)])
        case .forbiddenThere(let permission, let namespace, let pointer):
            Problem(
                .forbidden, "forbidden",
                "the caller lacks the permission \(permission.name) in namespace \(namespace), which \(pointer) is about",
                members: [
                    "permission": .string(permission.name), "namespace": .string(namespace.text),
                    "pointer": .string(pointer.description),
                ])
        case .conflict(let conflict):
            Problem(.conflict, conflict.code, conflict.detail, errors: conflict.errors, members: conflict.members)
        case .owned(let conflict):
            Problem(
                .unprocessableContent, conflict.code, conflict.detail, errors: conflict.errors,
                members: conflict.members)
        case .stale(let current):
            Problem(
                .preconditionFailed, "stale",
                current == nil ? "there is no such object" : "the object is not as the precondition says",
                headers: current.map { [.eTag: $0.entityTag] } ?? [:])
        case .preconditionRequired(let current):
            Problem(
                .preconditionRequired, "preconditionRequired",
                "the object exists: say which version is meant with If-Match: \(current.entityTag), or any with If-Match: *",
                headers: [.eTag: current.entityTag])
        case .idempotencyMismatch:
            Problem(
                .unprocessableContent, "idempotencyMismatch", "this Idempotency-Key was used before for another request"
            )
        case .gone:
            Problem(
                .gone, "revisionGone",
                "this Last-Event-ID is too old, or of another stream: begin anew without it"
            )
        case .unavailable(let retryAfter, let detail):
            Problem(
                .serviceUnavailable, "unavailable", detail,
                headers: [.retryAfter: String(max(1, retryAfter.components.seconds))])
        case .noKeyEncryptionKey(let detail):
            Problem(
                .serviceUnavailable, "noKeyEncryptionKey",
                "\(detail); whoever runs it gives it one with --kek-file (SLUICE_KEK_FILE) or SLUICE_KEK")
        case .busy(let limit, let isOfTenant):
            Problem(
                isOfTenant ? .tooManyRequests : .serviceUnavailable, "busy",
                "\(limit.bounds): \(limit.rule); try again", headers: [.retryAfter: "1"])
        case .fault: .fault
        }
    }
}
