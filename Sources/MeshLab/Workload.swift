internal import Documents
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import Synchronization

/// A service's instance: an HTTP server on loopback that says which version it is, and what it was asked.
///
/// Every answer has the version in the header `x-version`, and in its JSON body `version`, `method`, `path`, `host`, `headers` by
/// lower-case name, and `connection`, the port that the request came from. Requests may ask it to misbehave:
///
/// - `x-lab-wait`: milliseconds until it answers;
/// - `x-lab-status`: the answer's status;
/// - `x-lab-fail`: the versions, with commas between them, that this is about; all if it is left out;
/// - `x-lab-until`: the attempt, as Envoy counts them, from which on all is well;
/// - `x-lab-answer`: a header of the answer, `name=value`.
package struct Workload: Sendable {
    package let version: String
    package let port: Int
    private let address: String
    private let memory = Memory()

    /// - Parameter address: of the loopback interface.
    package init(version: String, port: Int, address: String = "127.0.0.1") {
        self.address = address
        self.version = version
        self.port = port
    }

    /// How many requests with this `x-lab-id` have come.
    package func requests(_ id: String) -> Int { memory.count(id) }

    /// Serves until the task is cancelled.
    package func run() async throws {
        var logger = Logger(label: "workload.\(version)")
        // Below that, the server reports the cancellation that ends it as an error.
        logger.logLevel = .critical
        let application = Application(
            responder: CallbackResponder { (request: Request, context: Context) in
                try await answer(to: request, on: context.peer)
            },
            configuration: .init(address: .hostname(address, port: port), serverName: nil),
            logger: logger)
        try await application.run()
    }

    private func answer(to request: Request, on connection: Int?) async throws -> Response {
        var fields: [String: String] = [:]
        for field in request.headers {
            let name = field.name.canonicalName
            fields[name] = fields[name].map { "\($0), \(field.value)" } ?? field.value
        }
        if let id = fields["x-lab-id"] { memory.add(id) }
        if let wait = fields["x-lab-wait"].flatMap(Int.init) { try await Task.sleep(for: .milliseconds(wait)) }
        let body: JSONValue = .fields([
            "version": .string(version), "method": .string(request.method.rawValue),
            "path": .string(request.uri.string),
            "host": request.head.authority.map(JSONValue.string), "headers": .map(fields),
            "connection": connection.map { .integer(Int64($0)) },
        ])
        var headers = HTTPFields()
        headers[.contentType] = "application/json"
        if let name = HTTPField.Name("x-version") { headers[name] = version }
        let extra = fields["x-lab-answer"]?.split(separator: "=", maxSplits: 1).map(String.init) ?? []
        if extra.count == 2, let name = HTTPField.Name(extra[0]) { headers[name] = extra[1] }
        let text = String(decoding: try JSONEncoder().encode(body), as: UTF8.self) + "\n"
        return Response(
            status: .init(code: status(fields)), headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    private func status(_ fields: [String: String]) -> Int {
        let versions = fields["x-lab-fail"]?.split(separator: ",").map(String.init) ?? [version]
        let attempt = fields["x-envoy-attempt-count"].flatMap(Int.init) ?? 1
        guard let status = fields["x-lab-status"].flatMap(Int.init), (200..<600).contains(status),
            versions.contains(version), attempt < fields["x-lab-until"].flatMap(Int.init) ?? .max
        else { return 200 }
        return status
    }

    private final class Memory: Sendable {
        private let counts = Mutex<[String: Int]>([:])
        func add(_ id: String) { counts.withLock { $0[id, default: 0] += 1 } }
        func count(_ id: String) -> Int { counts.withLock { $0[id] ?? 0 } }
    }

    private struct Context: RequestContext {
        var coreContext: CoreRequestContextStorage
        /// The port of who connected.
        let peer: Int?

        init(source: ApplicationRequestContextSource) {
            coreContext = .init(source: source)
            peer = source.channel.remoteAddress?.port
        }
    }
}
