package import GRPCServer
internal import HTTP2
internal import Logging
package import NIOCore
package import NIOEmbedded

/// A server's side of one connection in memory, with time that only moves when it is told to.
package final class EmbeddedServer {
    package let channel = EmbeddedChannel()
    /// The connection, as long as anything keeps it.
    package private(set) weak var connection: GRPCConnection?
    /// How often the server was told that the connection is closed.
    package private(set) var closures = 0

    /// - Parameter bufferedInput: shared by the connections of a server.
    package init(
        _ service: some GRPCService, bufferedInput: BufferedInput = BufferedInput(),
        configure: (inout GRPCServer.Configuration) -> Void = { _ in }
    ) throws {
        var configuration = GRPCServer.Configuration(listeners: [])
        configure(&configuration)
        let connection = GRPCConnection(
            id: 1, channel: channel, configuration: configuration, service: service, bufferedInput: bufferedInput,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            onClose: { _ in self.closures += 1 })
        self.connection = connection
        try channel.pipeline.syncOperations.addHandler(connection.makeHandler())
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
    }

    /// Feeds bytes as one read; errors of a closed channel do not matter here.
    package func feed(_ bytes: ByteBuffer) {
        guard channel.isActive else { return }
        _ = try? channel.writeInbound(bytes)
        channel.embeddedEventLoop.run()
    }

    /// Everything written since the last time.
    package func output() throws -> ByteBuffer { try channel.allOutput() }

    package func finish() { _ = try? channel.finish(acceptAlreadyClosed: true) }
}

extension EmbeddedChannel {
    /// Everything written since the last time.
    package func allOutput() throws -> ByteBuffer {
        embeddedEventLoop.run()
        var all = ByteBuffer()
        while var piece = try readOutbound(as: ByteBuffer.self) { all.writeBuffer(&piece) }
        return all
    }
}
