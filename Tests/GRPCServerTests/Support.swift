import GRPCServer
import HTTP2
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import Testing

/// A service made of one closure, called on the event loop.
struct ScriptedService: GRPCService {
    var onOpen: @Sendable (GRPCCall) -> (any GRPCCallHandler)?
    func open(_ call: GRPCCall) -> (any GRPCCallHandler)? { onOpen(call) }
}

/// What the handlers of a server were told, in order, for tests that wait for it.
final class Journal: Sendable {
    private struct State {
        var entries: [String] = []
        var waiting: [(test: @Sendable ([String]) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }
    private let state = Mutex(State())

    var entries: [String] { state.withLock { $0.entries } }

    func add(_ entry: String) {
        let ready = state.withLock { state in
            state.entries.append(entry)
            let entries = state.entries
            let ready = state.waiting.filter { $0.test(entries) }
            state.waiting.removeAll { $0.test(entries) }
            return ready
        }
        for waiter in ready { waiter.continuation.resume() }
    }

    /// Returns when `test` holds. The suite's time limit is the deadline.
    func wait(until test: @escaping @Sendable ([String]) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if test(state.entries) { return true }
                state.waiting.append((test, continuation))
                return false
            }
            if isReady { continuation.resume() }
        }
    }
}

/// Sends every message back; ends when the client has ended.
final class EchoHandler: GRPCCallHandler {
    private let call: GRPCCall
    private let journal: Journal?

    init(_ call: GRPCCall, _ journal: Journal? = nil) {
        self.call = call
        self.journal = journal
    }
    func received(_ message: ByteBuffer) {
        journal?.add("message \(message.readableBytes)")
        call.send(OutboundMessage(message))
    }
    func inputClosed() { call.finish(.ok) }
    func writable() {}
    func draining() {
        journal?.add("draining")
        call.finish(GRPCStatus(.unavailable, "draining"))
    }
    func closed(_ reason: GRPCCloseReason) { journal?.add("closed \(reason)") }
}

/// What a client hears.
final class Inbox: GRPCClientCallHandler {
    enum Event: Equatable, Sendable {
        case message([UInt8])
        case closed(GRPCStatus)
    }
    private let continuation: AsyncStream<Event>.Continuation

    init(_ continuation: AsyncStream<Event>.Continuation) { self.continuation = continuation }
    func received(_ message: ByteBuffer) { continuation.yield(.message(Array(buffer: message))) }
    func closed(_ status: GRPCStatus) {
        continuation.yield(.closed(status))
        continuation.finish()
    }
}

/// A client connection used from tasks.
struct TestClient: Sendable {
    let connection: NIOLoopBound<GRPCClientConnection>

    init(_ address: SocketAddress, tls: NIOSSLContext? = nil, http2: HTTP2Configuration = HTTP2Configuration())
        async throws
    {
        connection = try await GRPCClientConnection.connect(
            to: address, on: MultiThreadedEventLoopGroup.singleton.any(), http2: http2, tls: tls,
            serverHostname: tls == nil ? nil : "localhost"
        ).get()
    }

    /// Opens a call, sends `messages`, ends our side if asked, and streams what comes.
    func call(
        _ path: String = "/test.Test/Echo", metadata: [HTTP2Header] = [], sending messages: [[UInt8]] = [],
        halfClose: Bool = false
    ) -> AsyncStream<Inbox.Event> {
        let (events, continuation) = AsyncStream.makeStream(of: Inbox.Event.self)
        connection.eventLoop.execute {
            let call = connection.value.open(path, metadata: metadata, handler: Inbox(continuation))
            for message in messages { call.send(OutboundMessage(ByteBuffer(bytes: message))) }
            if halfClose { call.halfClose() }
        }
        return events
    }

    func run(_ body: @escaping @Sendable (GRPCClientConnection) -> Void) {
        connection.eventLoop.execute { body(connection.value) }
    }

    func close() { run { $0.close() } }
}

extension AsyncStream {
    /// Everything until the stream ends.
    func all() async -> [Element] {
        var elements: [Element] = []
        for await element in self { elements.append(element) }
        return elements
    }
}

/// Serves on a free port of the loopback while `body` runs, then shuts down.
func withServer(
    _ service: ScriptedService, listeners: [GRPCServer.Listener] = [.init(.host("127.0.0.1", port: 0))],
    configure: (inout GRPCServer.Configuration) -> Void = { _ in },
    _ body: (GRPCServer, SocketAddress) async throws -> Void
) async throws {
    var configuration = GRPCServer.Configuration(listeners: listeners)
    configuration.gracePeriod = .milliseconds(100)
    configure(&configuration)
    let server = GRPCServer(
        configuration: configuration, service: service, eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
        logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        let address = try #require(await server.addresses().first)
        do { try await body(server, address) } catch {
            server.shutdown()
            throw error
        }
        server.shutdown()
        try await group.waitForAll()
    }
    #expect(server.connectionCount == 0)
}
