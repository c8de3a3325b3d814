internal import NIOCore
internal import NIOPosix
package import NIOSSL
internal import Synchronization

/// A server on loopback that answers every request with the same bytes, in one of several bad ways.
package final class ScriptedServer: Sendable {
    package enum Script: Sendable {
        /// Sends the text and goes on listening.
        case answer(String)
        /// Sends the bytes, then ends the connection.
        case answerAndClose([UInt8])
        /// Sends the text, and then so many zeros.
        case zeros(String, Int)
        /// Sends the text, and then a byte now and then, for ever.
        case drip(String)
        /// Sends nothing until ``ScriptedServer/release()``, and then the text.
        case hold(String)
        /// Ends the connection when it begins.
        case close

        package static func ok(_ body: String, _ headers: String = "") -> Script { .status("200 OK", body, headers) }

        /// - Parameter headers: each with its line end.
        package static func status(_ status: String, _ body: String, _ headers: String = "") -> Script {
            .answer("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
        }
    }

    fileprivate struct State {
        var requests: [String] = []
        var connections = 0
        var held: [any Channel] = []
    }

    fileprivate let state = Mutex(State())
    fileprivate let script: Script
    private let listener: Mutex<(any Channel)?>

    /// Everything that was received, a text for each request.
    package var requests: [String] { state.withLock(\.requests) }
    /// Connections that were ever made.
    package var connections: Int { state.withLock(\.connections) }
    /// Requests that wait for ``release()``.
    package var held: Int { state.withLock(\.held.count) }

    private init(_ script: Script) {
        self.script = script
        listener = Mutex(nil)
    }

    package var port: Int { listener.withLock { $0?.localAddress?.port ?? 0 } }
    package var url: String { "http://127.0.0.1:\(port)" }

    /// Runs `body` with a server.
    ///
    /// - Parameter port: 0: one that is free.
    package static func run<T>(
        _ script: Script, host: String = "127.0.0.1", port: Int = 0, tls: NIOSSLContext? = nil,
        _ body: (ScriptedServer) async throws -> T
    ) async throws -> T {
        let server = ScriptedServer(script)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handlers = channel.pipeline.syncOperations
                    if let tls { try handlers.addHandler(NIOSSLServerHandler(context: tls)) }
                    try handlers.addHandler(ScriptedHandler(server))
                }
            }
            .bind(host: host, port: port).get()
        server.listener.withLock { $0 = channel }
        do {
            let result = try await body(server)
            try await channel.close()
            return result
        } catch {
            try? await channel.close()
            throw error
        }
    }

    /// Answers the requests that are held.
    package func release() {
        guard case .hold(let text) = script else { return }
        let held = state.withLock { state in
            defer { state.held = [] }
            return state.held
        }
        for channel in held { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }
    }
}

private final class ScriptedHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let server: ScriptedServer
    private var received = ""
    private var drop: Scheduled<Void>?

    init(_ server: ScriptedServer) { self.server = server }

    func channelActive(context: ChannelHandlerContext) {
        server.state.withLock { $0.connections += 1 }
        if case .close = server.script { context.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) { drop?.cancel() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += String(buffer: unwrapInboundIn(data))
        guard let end = received.firstRange(of: "\r\n\r\n"), received[end.upperBound...].utf8.count >= bodyLength else {
            return
        }
        let request = received
        received = ""
        // Before the answer: who has that may ask for this.
        server.state.withLock { $0.requests.append(request) }
        switch server.script {
        case .answer(let text): write(text, context)
        case .answerAndClose(let bytes):
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
            context.close(promise: nil)
        case .zeros(let text, let count):
            write(text, context)
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(repeating: 0x30, count: count)), promise: nil)
        case .drip(let text):
            write(text, context)
            drip(context)
        case .hold: server.state.withLock { $0.held.append(context.channel) }
        case .close: break
        }
    }

    private func drip(_ context: ChannelHandlerContext) {
        drop = context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(20)) {
            self.write("x", context)
            self.drip(context)
        }
    }

    private var bodyLength: Int {
        let line = received.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length: ") }
        return line.flatMap { Int($0.dropFirst(16)) } ?? 0
    }

    private func write(_ text: String, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }
}
