import CoreMetrics
import Documents
import Foundation
import HTTPTypes
import Hummingbird
import MeshControl
import MeshCore
import MeshFeed
import MeshIdentity
import MeshModel
import MeshStore
import NIOCore
import Postgres
import Prometheus
import StoreFixtures
import TestSupport
import Testing

@testable import MeshAPI

/// The API on a database of its own, and a client of it.
struct Fixture: Sendable {
    static let adminToken = "an-administrator's-token"
    static let mesh = "/v1/tenants/acme/meshes/default"
    static let shop = mesh + "/namespaces/shop"

    let server: APIServer
    let control: ControlPlane
    let pool: Pool

    static func run(
        _ configure: (inout APIConfiguration) -> Void = { _ in }, _ body: (Fixture) async throws -> Void
    ) async throws {
        var configuration = APIConfiguration()
        configuration.adminToken = adminToken
        configuration.port = 0
        configure(&configuration)
        try await StoreFixture.run(connections: 4) { [configuration] database in
            try await body(Fixture(configuration, store: database.store))
        }
    }

    init(_ configuration: APIConfiguration, store: MeshStore) {
        pool = store.pool
        let metrics = PrometheusFactory(logger: quietLogger)
        Counter(label: "other_source_total", factory: metrics).increment()
        control = ControlPlane(
            store: store, feeds: FeedReader(store: store, logger: quietLogger), logger: quietLogger)
        server = APIServer(
            configuration, control: control,
            bootstrapRenderer: { bootstrap in
                [
                    "node": ["id": .string("\(bootstrap.namespace)/\(bootstrap.proxy)")],
                    "token": .string(bootstrap.token?.reveal() ?? ""),
                    "port": .integer(Int64(bootstrap.httpProxyPort)),
                ]
            },
            proxyConfigs: { try ConfigFixture.config(of: $0) },
            routeDifferences: { _, _, stages, _ in
                stages.map { stage in
                    guard case .step(let index) = stage.moment else { return [] }
                    guard let service = stage.state.services.keys.first(where: { _ in true }) else { return [] }
                    return [
                        RouteDifference(
                            host: .service(service),
                            resource: "http_proxy", index: 2, before: ["step": .integer(Int64(index) - 1)],
                            after: ["step": .integer(Int64(index))])
                    ]
                }
            },
            meshMetrics: { mesh, _ in "of \(mesh)\n" },
            readiness: Readiness(checks: [{ (try? await store.now()) == nil ? "the database cannot be reached" : nil }]
            ),
            metrics: metrics, logger: quietLogger)
    }

    /// An answer, with its body as text and as a document.
    struct Answer: Sendable {
        var status: Int
        var headers: HTTPFields
        var text: String

        var body: JSONValue { (try? JSONText.parse(Array(text.utf8))) ?? .null }
        var code: String? { body["code"]?.stringValue }
        /// `pointer: code` of everything that is wrong.
        var errors: [String] {
            (body["errors"]?.arrayValue ?? []).map {
                "\($0["pointer"]?.stringValue ?? "") \($0["code"]?.stringValue ?? "")"
            }
        }
        var tag: String { headers[.eTag] ?? "" }
    }

    /// Sends a request to the responder, without a network between.
    func send(
        _ method: String, _ path: String, bytes: [UInt8] = [], headers: [String: String] = [:],
        token: String? = Fixture.adminToken
    ) async throws -> Answer {
        var fields = HTTPFields()
        if let token { fields[.authorization] = "Bearer \(token)" }
        for (name, value) in headers { fields[try #require(HTTPField.Name(name))] = value }
        let head = HTTPRequest(
            method: try #require(HTTPRequest.Method(rawValue: method)), scheme: "http", authority: "sluice", path: path,
            headerFields: fields)
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(bytes: bytes)))
        let response = try await server.responder.respond(to: request, context: APIContext())
        let writer = CollectingWriter()
        // A stream needs a connection; see ``WatchFixture``.
        if response.headers[.contentType] != "text/event-stream" { try await response.body.write(writer) }
        return Answer(
            status: response.status.code, headers: response.headers, text: String(decoding: writer.bytes, as: UTF8.self)
        )
    }

    func send(
        _ method: String, _ path: String, _ body: JSONValue, _ headers: [String: String] = [:],
        token: String? = Fixture.adminToken
    ) async throws -> Answer {
        var headers = headers
        if headers["Content-Type"] == nil {
            headers["Content-Type"] = method == "PATCH" ? "application/merge-patch+json" : "application/json"
        }
        return try await send(method, path, bytes: JSONText.print(body), headers: headers, token: token)
    }

    func get(_ path: String, _ headers: [String: String] = [:], token: String? = Fixture.adminToken) async throws
        -> Answer
    {
        try await send("GET", path, headers: headers, token: token)
    }

    /// The objects that most tests begin with: tenant, cluster, service `reviews` with an endpoint a version.
    func prepare() async throws {
        #expect(try await send("PUT", "/v1/tenants/acme", ["spec": ["displayName": "Acme"]]).status == 201)
        let cluster: JSONValue = [
            "metadata": ["name": "dev"], "spec": ["kind": "universal", "mesh": ["enabled": true]],
        ]
        #expect(try await send("POST", "/v1/tenants/acme/clusters", cluster).status == 202)
        #expect(try await send("PUT", Self.shop + "/services/reviews", Self.reviews).status == 201)
        for (name, version, port) in [("e1", "v1", 18_081), ("e2", "v2", 18_082)] {
            let answer = try await send(
                "PUT", Self.shop + "/services/reviews/endpoints/\(name)", Self.endpoint(version, Int64(port)))
            #expect(answer.status == 201, "\(answer.text)")
        }
    }

    static let reviews: JSONValue = [
        "spec": [
            "ports": [["name": "http", "port": 9080, "protocol": "HTTP"]],
            "versions": [["name": "v1"], ["name": "v2"]],
        ]
    ]

    static func endpoint(_ version: String, _ port: Int64) -> JSONValue {
        [
            "spec": [
                "cluster": "dev", "address": "127.0.0.1", "ports": ["http": .integer(port)],
                "version": .string(version),
            ]
        ]
    }

    static let release: JSONValue = [
        "spec": [
            "service": "reviews", "stable": ["version": "v1"], "canary": ["version": "v2"],
            "strategy": ["type": "canary", "steps": [["setWeight": 2000], ["pause": [:]], ["setWeight": 10000]]],
        ]
    ]
}

/// Keeps what a response writes.
private final class CollectingWriter: ResponseBodyWriter {
    var bytes: [UInt8] = []

    func write(_ buffer: ByteBuffer) async throws { bytes += Array(buffer.readableBytesView) }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
