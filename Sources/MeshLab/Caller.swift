internal import AsyncHTTPClient
package import Documents
internal import Foundation
internal import NIOCore
internal import NIOFoundationCompat
internal import NIOHTTP1

/// Sends single requests through a sidecar, as its workload would, and tells all about the answers.
package struct Caller: Sendable {
    package struct Request: Sendable {
        package var method: String
        /// With a query, if it has one.
        package var path: String
        package var headers: [(name: String, value: String)]

        package init(method: String = "GET", path: String = "/", headers: [(name: String, value: String)] = []) {
            self.method = method
            self.path = path
            self.headers = headers
        }
    }

    /// The response; redirects are not followed.
    package struct Answer: Sendable {
        package var status: Int
        /// By lower-case name; several of one name with `, ` in between.
        package var headers: [String: String]
        /// The document of a ``Workload``; `null` if something else answered.
        package var body: JSONValue
        package var text: String
        package var duration: Duration

        /// The version that answered.
        package var version: String? { headers["x-version"] }
    }

    private let base: String
    private let client: HTTPClient

    /// Runs `body` with a caller.
    ///
    /// - Parameter proxy: the sidecar's HTTP proxy port on loopback.
    package static func run<T>(proxy: Int, _ body: (Caller) async throws -> T) async throws -> T {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 256
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let result = try await body(Caller(base: "http://127.0.0.1:\(proxy)", client: client))
            try await client.shutdown()
            return result
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    /// Sends a request.
    ///
    /// - Parameter host: as a caller would name the service.
    /// - Throws: whatever the HTTP client throws when there is no answer.
    package func send(_ request: Request, to host: String) async throws -> Answer {
        var message = HTTPClientRequest(url: base + request.path)
        message.method = HTTPMethod(rawValue: request.method)
        message.headers.add(name: "Host", value: host)
        for (name, value) in request.headers { message.headers.add(name: name, value: value) }
        let start = ContinuousClock.now
        let response = try await client.execute(message, timeout: .seconds(30))
        let bytes = try await response.body.collect(upTo: 1 << 20)
        let names = response.headers.map { ($0.name.lowercased(), $0.value) }
        return Answer(
            status: Int(response.status.code), headers: Dictionary(names, uniquingKeysWith: { $0 + ", " + $1 }),
            body: (try? JSONValue(json: Data(buffer: bytes))) ?? .null, text: String(buffer: bytes),
            duration: ContinuousClock.now - start)
    }
}
