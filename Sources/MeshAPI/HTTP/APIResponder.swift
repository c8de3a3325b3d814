internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import MeshControl
internal import MeshCore
internal import MeshIdentity
internal import MeshStore
internal import NIOCore
internal import NIOHTTP1

/// Answers every request: finds its route, authenticates its caller, runs its handler within the deadline, and gives
/// the answer what every answer has: `X-Request-Id`, `Server-Timing`, CORS fields, one line in the log, its place in the
/// metrics. Errors rise to here and become ``Problem``s.
struct APIResponder: HTTPResponder {
    typealias Context = APIContext

    let routes: RouteTable
    let configuration: APIConfiguration
    let authenticator: Authenticator
    let metrics: HTTPMetrics
    let logger: Logger

    /// A request as it is known by the time it is logged.
    private struct Trace {
        var route = HTTPMetrics.unknownRoute
        var caller: Caller?
        /// Nothing of the request's body is left on the connection.
        var hasReadBody = false
        /// The text of an internal error that the log may know, and answers must not.
        var fault: String?
    }

    func respond(to request: Request, context: APIContext) async throws -> Response {
        let start = ContinuousClock.now
        let id = RequestIdentifier.of(request.head)
        var trace = Trace()
        var answer: APIAnswer
        do {
            answer = try await self.answer(to: request, id: id, trace: &trace)
        } catch let error as HTTPParserError {
            // The connection is broken; Hummingbird answers and closes it.
            throw error
        } catch {
            let problem = Problem(describing: error)
            if problem.status.code >= 500 { trace.fault = String(describing: error) }
            answer = APIAnswer(
                problem.status, headers: problem.headers,
                body: problem.body(instance: String(request.head.pathOnly), requestId: id), type: Problem.mediaType)
        }
        let elapsed = ContinuousClock.now - start
        // Else the server would go on reading what is announced, without a deadline and for nobody.
        if request.head.announcesBody && !trace.hasReadBody { answer.headers[.connection] = "close" }
        decorate(&answer, for: request.head, id: id, elapsed: elapsed)
        metrics.record(
            method: request.method.rawValue, route: trace.route, status: answer.status.code, elapsed: elapsed)
        log(request, answer, id: id, elapsed: elapsed, trace)
        return Response(
            status: answer.status, headers: answer.headers,
            body: body(of: answer, to: request, trace.caller, channel: context.channel))
    }

    private func body(
        of answer: APIAnswer, to request: Request, _ caller: Caller?, channel: (any Channel)?
    ) -> ResponseBody {
        guard let events = answer.events else {
            if answer.headers[.connection] == "close", let channel {
                return lastBody(request.method == .head ? [] : answer.body, on: channel)
            }
            return request.method == .head || answer.body.isEmpty
                ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body))
        }
        if request.method == .head { return ResponseBody { try await $0.finish(nil) } }
        return ResponseBody { writer in
            try await serve(events, to: request, caller, channel: channel, &writer)
        }
    }

    /// The body of an answer after which the connection is closed, whatever the client still sends.
    ///
    /// For a moment what arrives is read and thrown away: a connection that is closed with unread bytes is reset, and that
    /// overtakes the answer.
    private func lastBody(_ bytes: [UInt8], on channel: any Channel) -> ResponseBody {
        ResponseBody(contentLength: bytes.count) { writer in
            if !bytes.isEmpty { try await writer.write(ByteBuffer(bytes: bytes)) }
            try await writer.finish(nil)
            channel.close(mode: .output, promise: nil)
            channel.eventLoop.scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
        }
    }

    private func answer(to request: Request, id: String, trace: inout Trace) async throws -> APIAnswer {
        try checkLimits(request.head)
        let path = request.head.pathOnly
        switch routes.match(request.method, path) {
        case .none:
            throw Problem(.notFound, "notFound", "there is nothing at this path")
        case .otherMethods(let methods):
            return try Self.answer(to: request.method, where: methods)
        case .found(let route, let parameters):
            trace.route = route.template
            let caller = try await caller(of: request, for: route)
            trace.caller = caller
            guard route.isWatchable || !request.head.prefersEvents else {
                throw Problem(.notAcceptable, "notAcceptable", "there is no event stream of this path")
            }
            if route.isLongPoll {
                trace.hasReadBody = true
                return try await request.body.consumeWithCancellationOnInboundClose { body in
                    let bytes = try await self.bytes(of: body, for: route, request.head)
                    return try await run(route, request.head, parameters, bytes, caller, id)
                }
            }
            var bytes: [UInt8] = []
            if case .none = route.body {
            } else {
                bytes = try await self.bytes(of: request.body, for: route, request.head)
                trace.hasReadBody = true
            }
            return try await MeshStore.withDeadline(configuration.deadline) {
                try await run(route, request.head, parameters, bytes, caller, id)
            }
        }
    }

    private func bytes(of body: RequestBody, for route: Route, _ head: HTTPRequest) async throws -> [UInt8] {
        try await body.bytes(for: route, head, limit: configuration.bodyLimit, within: configuration.bodyDeadline)
    }

    private func run(
        _ route: Route, _ head: HTTPRequest, _ parameters: RouteTable.Parameters, _ bytes: [UInt8], _ caller: Caller,
        _ id: String
    ) async throws -> APIAnswer {
        let query = QueryParameters(head.query, known: route.query)
        try query.check()
        return try await route.handler(
            APIRequest(
                head: head, path: head.pathOnly, parameters: parameters, query: query, bytes: bytes,
                body: try route.document(bytes), caller: caller, id: id))
    }

    private func caller(of request: Request, for route: Route) async throws -> Caller {
        switch route.access {
        case .open: .anonymous
        case .authenticated, .needs:
            try await MeshStore.withDeadline(configuration.deadline) {
                try await authenticator.caller(authorization: request.headers[.authorization])
            }
        }
    }

    private func checkLimits(_ head: HTTPRequest) throws {
        if (head.path ?? "").utf8.count > configuration.urlLimit {
            throw Problem(.uriTooLong, "urlTooLong", "path and query must be at most \(configuration.urlLimit) bytes")
        }
        let size = head.headerFields.reduce(0) { $0 + $1.name.rawName.utf8.count + $1.value.utf8.count }
        if size > configuration.headerLimit {
            throw Problem(
                .requestHeaderFieldsTooLarge, "headerTooLarge",
                "header fields must be at most \(configuration.headerLimit) bytes")
        }
    }

    /// OPTIONS is answered with what there is; any other method is an error that says the same.
    private static func answer(to method: HTTPRequest.Method, where methods: [HTTPRequest.Method]) throws -> APIAnswer {
        var names = methods.map(\.rawValue) + ["OPTIONS"]
        if methods.contains(.get) { names.append("HEAD") }
        let allow = names.sorted().joined(separator: ", ")
        if method == .options { return APIAnswer(.noContent, headers: [.allow: allow]) }
        throw Problem(
            .methodNotAllowed, "methodNotAllowed", "this path takes \(allow)", headers: [.allow: allow])
    }
}

extension APIResponder {
    private func decorate(_ answer: inout APIAnswer, for head: HTTPRequest, id: String, elapsed: Duration) {
        answer.headers[.requestId] = id
        answer.headers[.serverTiming] =
            "total;dur=\(elapsed.microseconds / 1000).\((elapsed.microseconds % 1000) / 100)"
        answer.headers[.xContentTypeOptions] = "nosniff"
        if answer.status == .unauthorized { answer.headers[.connection] = "close" }
        if answer.headers[.cacheControl] == nil { answer.headers[.cacheControl] = "no-cache" }
        if head.method == .head, answer.events == nil { answer.headers[.contentLength] = String(answer.body.count) }
        CrossOrigin(allowedOrigins: configuration.allowedOrigins).decorate(&answer, for: head)
    }

    private func log(_ request: Request, _ answer: APIAnswer, id: String, elapsed: Duration, _ trace: Trace) {
        let level: Logger.Level = answer.status.code >= 500 ? .error : .info
        guard logger.logLevel <= level else { return }
        var metadata: Logger.Metadata = [
            "requestId": "\(id)", "method": "\(request.method.rawValue)", "route": "\(trace.route)",
            "path": "\(request.head.pathForLog)", "status": "\(answer.status.code)",
            "durationUs": "\(elapsed.microseconds)",
        ]
        if let caller = trace.caller {
            metadata["caller"] = "\(caller.description)"
            if let tenant = caller.tenant { metadata["tenant"] = "\(tenant)" }
        }
        if let fault = trace.fault { metadata["error"] = "\(fault)" }
        logger.log(level: level, "request", metadata: metadata)
    }
}

/// Hummingbird makes one per request.
struct APIContext: InitializableFromSource {
    /// The connection, if there is one.
    let channel: (any Channel)?

    init() { channel = nil }
    init(source: ApplicationRequestContextSource) { channel = source.channel }
}

extension HTTPRequest {
    /// The path as it was sent, without query.
    var pathOnly: Substring { (path ?? "").prefix { $0 != "?" } }

    /// The part of the path that a log needs, 1 KiB at most: whoever calls decides how long it is.
    var pathForLog: String { String(decoding: pathOnly.utf8.prefix(1 << 10), as: UTF8.self) }

    /// The query behind the `?`; empty if there is none.
    var query: Substring { (path ?? "").drop { $0 != "?" }.dropFirst() }
}
