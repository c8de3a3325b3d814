internal import HTTPTypes
internal import MeshControl

/// One operation of the API: where it is, what it accepts, and who does it.
///
/// The table of all routes is data: `openapi/sluice-v1.yaml` is made of it.
struct Route: Sendable {
    /// The callers that are let in. Every route has to say it.
    enum Access: Sendable {
        /// Anybody; nothing here tells anything about a tenant.
        case open
        /// Callers with a valid token.
        case authenticated
        /// Callers with this permission, for which the use case asks where the path leads. It may ask for more of some
        /// requests: a PUT of what is not there, `promote` with `full`, a cluster that enables a mesh, a host in another
        /// namespace.
        case needs(Permission)
    }

    /// The kind of body that a request may carry.
    enum Body: Sendable {
        case none
        /// `application/json`; an empty body is an error if `required`, else an empty object.
        case json(required: Bool)
        /// `application/merge-patch+json` (RFC 7396).
        case mergePatch
    }

    typealias Handler = @Sendable (APIRequest) async throws -> APIAnswer

    let method: HTTPRequest.Method
    /// The path as OpenAPI writes it, for example `/v1/tenants/{tenant}/clusters/{cluster}/mesh:enable`.
    let template: String
    /// The `operationId` in the OpenAPI document.
    let operation: String
    let access: Access
    let body: Body
    /// Names of the query parameters that are accepted.
    let query: [String]
    /// Whether the request may last as long as it asks to and ends when the client goes away.
    let isLongPoll: Bool
    /// Whether GET answers with an event stream to those who prefer one.
    let isWatchable: Bool
    let handler: Handler

    init(
        _ method: HTTPRequest.Method, _ template: String, _ operation: String, _ access: Access,
        body: Body = .none, query: [String] = [], isLongPoll: Bool = false, isWatchable: Bool = false,
        handler: @escaping Handler
    ) {
        self.method = method
        self.template = template
        self.operation = operation
        self.access = access
        self.body = body
        self.query = query
        self.isLongPoll = isLongPoll
        self.isWatchable = isWatchable
        self.handler = handler
    }
}
