import AsyncHTTPClient
import Documents
import Foundation
import MeshControl
import MeshFeed
import MeshStore
import NIOCore
import NIOHTTP1
import Postgres
import ServiceLifecycle
import StoreFixtures
import Synchronization
import TestSupport
import Testing

@testable import MeshAPI

/// Two servers on one database: clients watch over the network what the one says while the other one writes.
struct WatchFixture: Sendable {
    /// Takes the requests of the test; does not know that anybody watches.
    let writer: Fixture
    /// Serves event streams.
    let server: Fixture
    let port: Int
    /// What heartbeats go by.
    let clock: ManualClock
    let group: ServiceGroup

    /// - Parameter keeperClock: what the keeper of conditions of the server goes by; `nil`: it has none.
    static func run(
        _ configure: (inout APIConfiguration) -> Void = { _ in }, keeperClock: ManualClock? = nil,
        _ body: (WatchFixture) async throws -> Void
    ) async throws {
        let clock = ManualClock()
        var configuration = APIConfiguration()
        configuration.adminToken = Fixture.adminToken
        configuration.port = 0
        configuration.watchHeartbeat = .seconds(15)
        configuration.watchClock = clock
        configure(&configuration)
        try await StoreFixture.run(connections: 4) { [configuration] database in
            var options = PoolOptions(database.options)
            options.maximumConnections = 4
            try await Pool.running(options, logger: quietLogger) { pool in
                let server = Fixture(configuration, store: MeshStore(pool: pool, logger: quietLogger))
                let writer = Fixture(configuration, store: database.store)
                let changes = ChangeSignals(database.options, logger: quietLogger)
                let signals = changes.subscribe { [feeds = server.control.feeds] in feeds.isConcerned(by: $0) }
                let kept = changes.subscribe { if case .changed = $0 { true } else { false } }
                let front = Front(server: server.server)
                let group = ServiceGroup(
                    configuration: .init(
                        services: [.init(service: front, successTerminationBehavior: .ignore)], logger: quietLogger))
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    tasks.addTask { try await changes.run() }
                    tasks.addTask { try await server.control.feeds.run(signals: signals) }
                    tasks.addTask { try await group.run() }
                    if let keeperClock {
                        let keeper = ConditionKeeper(
                            store: server.control.store, mirror: server.control.mirror, replica: "r1",
                            clock: keeperClock, logger: quietLogger)
                        tasks.addTask { try await keeper.run(signals: kept) }
                    }
                    defer { tasks.cancelAll() }
                    try await until("the server listens") { front.port != 0 }
                    try await body(
                        WatchFixture(writer: writer, server: server, port: front.port, clock: clock, group: group))
                }
            }
        }
    }

    /// Gives `body` the events of a list; the client goes away with its end.
    func watch<Value: Sendable>(
        _ path: String, _ headers: [String: String] = [:], token: String = Fixture.adminToken,
        _ body: (EventReader) async throws -> Value
    ) async throws -> Value {
        let client = HTTPClient(eventLoopGroupProvider: .singleton)
        let result: Result<Value, any Error>
        do {
            var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
            request.headers.add(name: "Authorization", value: "Bearer \(token)")
            request.headers.add(name: "Accept", value: "text/event-stream")
            for (name, value) in headers { request.headers.add(name: name, value: value) }
            let response = try await client.execute(request, timeout: .seconds(60))
            #expect(response.status.code == 200)
            #expect(response.headers.first(name: "Content-Type") == "text/event-stream")
            result = .success(try await Self.reading(response.body, body))
        } catch {
            result = .failure(error)
        }
        try await client.shutdown()
        return try result.get()
    }

    private static func reading<Value: Sendable>(
        _ response: HTTPClientResponse.Body, _ body: (EventReader) async throws -> Value
    ) async throws -> Value {
        let (chunks, sink) = AsyncThrowingStream.makeStream(of: String.self)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    for try await chunk in response { sink.yield(String(buffer: chunk)) }
                    sink.finish()
                } catch {
                    sink.finish(throwing: error)
                }
            }
            defer { group.cancelAll() }
            return try await body(EventReader(chunks))
        }
    }

    /// How many streams are open.
    var streams: Int { server.server.streams.count }
}

/// The server as a service that says where it listens.
private final class Front: Service {
    let server: APIServer
    private let found = Mutex(0)
    var port: Int { found.withLock { $0 } }

    init(server: APIServer) { self.server = server }

    func run() async throws { try await server.run { port in self.found.withLock { $0 = port } } }
}

/// Takes the events of a stream one by one.
final class EventReader {
    struct Event: Equatable {
        /// `nil`: no event, but a comment.
        var name: String?
        var id: Int64?
        var data: JSONValue

        /// For example `changed reviews`.
        var summary: String { "\(name ?? "-") \(data["metadata"]?["name"]?.stringValue ?? "-")" }
    }

    private var chunks: AsyncThrowingStream<String, any Error>.Iterator
    private var text = ""

    init(_ chunks: AsyncThrowingStream<String, any Error>) { self.chunks = chunks.makeAsyncIterator() }

    /// - Returns: `nil` when the stream has ended.
    func next() async throws -> Event? {
        while true {
            while let end = text.range(of: "\n\n") {
                let lines = text[..<end.lowerBound].split(separator: "\n")
                text.removeSubrange(..<end.upperBound)
                if lines.contains(where: { $0.hasPrefix("retry:") }) { continue }
                return try Self.event(lines)
            }
            guard let chunk = try await chunks.next(isolation: #isolation) else { return nil }
            text += chunk
        }
    }

    private static func event(_ lines: [Substring]) throws -> Event {
        func field(_ name: String) -> String? {
            lines.first { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
        }
        let data = try field("data").map { try JSONText.parse(Array($0.utf8)) }
        return Event(name: field("event"), id: try field("id").map { try #require(Int64($0)) }, data: data ?? .null)
    }

    /// Everything up to and with the next event of a name.
    func events(through name: String) async throws -> [Event] {
        var events: [Event] = []
        while let event = try await next() {
            events.append(event)
            if event.name == name { return events }
        }
        Issue.record("the stream ended before \(name), after \(events)")
        return events
    }

    /// The next so many events.
    func take(_ count: Int) async throws -> [Event] {
        var events: [Event] = []
        while events.count < count, let event = try await next() { events.append(event) }
        return events
    }
}
