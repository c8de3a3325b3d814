package import Logging
package import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// A gRPC server on HTTP/2: plaintext and TLS, any number of addresses, unary and streaming calls alike.
///
/// Calls are served by callbacks on event loops, not by tasks: a stream that waits for news costs no stack and no
/// switch.
package final class GRPCServer: Sendable {
    private let configuration: Configuration
    private let service: any GRPCService
    private let group: any EventLoopGroup
    private let logger: Logger
    private let connections = ConnectionRegistry()
    private let bufferedInput = BufferedInput()
    private let binding = Mutex(Binding.pending([]))
    private let shutdownSignal: AsyncStream<Never>
    private let shutdownTrigger: AsyncStream<Never>.Continuation

    private enum Binding {
        case pending([CheckedContinuation<[SocketAddress], any Error>])
        case done(Result<[SocketAddress], any Error>)
    }

    /// Nothing happens before ``run()``.
    package init(
        configuration: Configuration, service: any GRPCService, eventLoopGroup: any EventLoopGroup, logger: Logger
    ) {
        self.configuration = configuration
        self.service = service
        self.group = eventLoopGroup
        self.logger = logger
        (shutdownSignal, shutdownTrigger) = AsyncStream.makeStream()
    }

    /// Open connections that are served.
    package var connectionCount: Int { connections.count }

    /// Binds and serves until ``shutdown()`` or the cancellation of the task; then closes the listeners, and every
    /// connection gracefully. Returns when the last one is closed. Runs once.
    ///
    /// - Throws: when an address cannot be bound.
    package func run() async throws {
        var listeners: [any Channel] = []
        do {
            for listener in configuration.listeners { listeners.append(try await bind(listener)) }
            finishBinding(.success(listeners.compactMap(\.localAddress)))
        } catch {
            finishBinding(.failure(error))
            for channel in listeners { try? await channel.close() }
            throw error
        }
        // Ends by `shutdown()` and by cancellation alike.
        for await _ in shutdownSignal {}

        for channel in listeners { try? await channel.close() }
        await connections.drain()
    }

    /// Begins the graceful end; callable from anywhere, more than once.
    package func shutdown() {
        shutdownTrigger.finish()
    }

    /// The bound addresses in the order of the listeners; waits for ``run()`` to bind them.
    ///
    /// - Throws: what `run()` threw when it could not bind.
    package func addresses() async throws -> [SocketAddress] {
        try await withCheckedThrowingContinuation { continuation in
            let result: Result<[SocketAddress], any Error>? = binding.withLock { binding in
                switch binding {
                case .done(let result): return result
                case .pending(let waiting):
                    binding = .pending(waiting + [continuation])
                    return nil
                }
            }
            if let result { continuation.resume(with: result) }
        }
    }

    private func finishBinding(_ result: Result<[SocketAddress], any Error>) {
        let waiting: [CheckedContinuation<[SocketAddress], any Error>] = binding.withLock { binding in
            guard case .pending(let waiting) = binding else { return [] }
            binding = .done(result)
            return waiting
        }
        for continuation in waiting { continuation.resume(with: result) }
    }

    private func bind(_ listener: Listener) async throws -> any Channel {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .childChannelOption(.recvAllocator, value: ReadBuffers())
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture { try accept(channel, on: listener) }
            }
        switch listener.address {
        case .host(let host, let port):
            return
                try await bootstrap
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(host: host, port: port).get()
        case .unixDomainSocket(let path):
            return try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
        }
    }

    /// Builds the pipeline of a new connection; an error closes it.
    private func accept(_ channel: any Channel, on listener: Listener) throws {
        let address = channel.remoteAddress?.ipAddress
        let connection = GRPCConnection(
            id: connections.nextID(), channel: channel, configuration: configuration, service: service,
            bufferedInput: bufferedInput, logger: logger,
            onClose: { [connections] in connections.remove($0, from: address) })
        var refusal: GRPCStatus?
        switch connections.admit(connection, within: configuration) {
        case .served: break
        case .refused(let status):
            refusal = status
            logRefusal(of: address, status)
        case .dropped(let status):
            logRefusal(of: address, status)
            throw status
        }
        do {
            if let tls = listener.tls {
                try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls()))
            }
            try channel.pipeline.syncOperations.addHandler(connection.makeHandler(refusing: refusal))
        } catch {
            connection.closed(error)
            throw error
        }
    }

    private func logRefusal(of address: String?, _ status: GRPCStatus) {
        logger.warning(
            "connection refused", metadata: ["reason": "\(status.message)", "peer": "\(address ?? "")"])
    }
}
