package import HTTP2
package import NIOCore
internal import NIOPosix
package import NIOSSL

/// A minimal gRPC client connection, for tests and for generating load: no retries, no name resolution, no balancing.
/// Bound to its event loop.
package final class GRPCClientConnection {
    package let eventLoop: any EventLoop
    private let channel: any Channel
    private let http2Configuration: HTTP2Configuration
    private let authority: String
    private weak var http2: HTTP2Connection?

    private init(channel: any Channel, http2: HTTP2Configuration, authority: String) {
        self.eventLoop = channel.eventLoop
        self.channel = channel
        self.http2Configuration = http2
        self.authority = authority
    }

    /// Connects; calls may be opened at once, before the server's SETTINGS have come.
    ///
    /// - Parameters:
    ///   - tls: `nil` for plaintext with prior knowledge.
    ///   - serverHostname: what the server's certificate must be for, and the `:authority`.
    package static func connect(
        to address: SocketAddress, on eventLoop: any EventLoop, http2: HTTP2Configuration = HTTP2Configuration(),
        tls: NIOSSLContext? = nil, serverHostname: String? = nil
    ) -> EventLoopFuture<NIOLoopBound<GRPCClientConnection>> {
        let made = NIOLoopBoundBox.makeEmptyBox(valueType: GRPCClientConnection.self, eventLoop: eventLoop)
        return ClientBootstrap(group: eventLoop)
            .channelOption(.recvAllocator, value: ReadBuffers())
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls {
                        try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: serverHostname))
                    }
                    // Not after connecting: the server speaks first, and what it said would be lost by then.
                    let connection = GRPCClientConnection(
                        channel: channel, http2: http2, authority: serverHostname ?? "localhost")
                    let handler = HTTP2Connection(.client, configuration: http2, delegate: connection)
                    connection.http2 = handler
                    try pipeline.addHandler(handler)
                    made.value = connection
                }
            }
            .connect(to: address)
            .flatMap { channel in
                // The channel becomes active only after this future is fulfilled, and nothing can be sent before.
                channel.eventLoop.submit {
                    guard let connection = made.value else { throw ChannelError.inappropriateOperationForState }
                    return NIOLoopBound(connection, eventLoop: channel.eventLoop)
                }
            }
    }

    /// Opens a call. On a closed connection the handler is told UNAVAILABLE before this returns.
    ///
    /// - Parameter path: `/package.Service/Method`.
    package func open(
        _ path: String, metadata: [HTTP2Header] = [], handler: any GRPCClientCallHandler
    ) -> GRPCClientCall {
        let call = GRPCClientCall(handler: handler)
        let headers = [
            HTTP2Header(":method", "POST"), HTTP2Header(":scheme", "http"), HTTP2Header(":path", path),
            HTTP2Header(":authority", authority), HTTP2Header("te", "trailers"),
            HTTP2Header("content-type", "application/grpc"),
        ]
        call.start(http2?.request(headers + metadata, delegate: call))
        return call
    }

    /// Closes the socket; open calls end with UNAVAILABLE.
    package func close() {
        channel.close(promise: nil)
    }

    /// Stops or resumes reading from the socket, to play a slow reader.
    package func setReading(_ isReading: Bool) {
        try? channel.syncOptions?.setOption(.autoRead, value: isReading)
    }
}

extension GRPCClientConnection: HTTP2ConnectionDelegate {
    package func opened(_ stream: HTTP2Stream, headers: [HTTP2Header]) -> (any HTTP2StreamDelegate)? { nil }
    package func handshakeCompleted() {}
    package func closed(_ error: (any Error)?) {}
}

/// Bound to its event loop.
@available(*, unavailable)
extension GRPCClientConnection: Sendable {}
