package import GRPCServer
package import HTTP2
package import NIOCore
internal import NIOEmbedded

/// A client that speaks HTTP/2 as it should, and gRPC as it likes.
package final class EmbeddedClient: HTTP2ConnectionDelegate {
    private let channel = EmbeddedChannel()
    private var connection: HTTP2Connection?
    private let server: EmbeddedServer

    /// What a client hears of a call.
    package final class Answer: HTTP2StreamDelegate {
        fileprivate(set) var stream: HTTP2Stream?
        package private(set) var body: [UInt8] = []
        package private(set) var status: GRPCStatus?

        package func received(headers: [HTTP2Header], on stream: HTTP2Stream) {
            if headers.contains(where: { $0.name == "grpc-status" }) { status = GRPCStatus(trailers: headers) }
        }
        package func received(body: ByteBuffer, on stream: HTTP2Stream) { self.body += Array(buffer: body) }
        package func inputClosed(on stream: HTTP2Stream) {}
        package func emptied(_ stream: HTTP2Stream) {}
        package func closed(_ stream: HTTP2Stream, code: HTTP2ErrorCode?) {}
    }

    package init(_ server: EmbeddedServer) throws {
        self.server = server
        let connection = HTTP2Connection(.client, delegate: self)
        self.connection = connection
        try channel.pipeline.syncOperations.addHandler(connection)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
        try exchange()
    }

    /// Opens a call and sends these bytes as its body, whatever they are.
    package func call(
        path: String = "/test.Test/Echo", metadata: [HTTP2Header] = [], body: [UInt8] = [], end: Bool = false
    ) throws -> Answer {
        let answer = Answer()
        answer.stream = connection?.request(
            [
                HTTP2Header(":method", "POST"), HTTP2Header(":scheme", "http"), HTTP2Header(":path", path),
                HTTP2Header(":authority", "x"), HTTP2Header("te", "trailers"),
                HTTP2Header("content-type", "application/grpc"),
            ] + metadata, delegate: answer)
        try send(body, on: answer)
        if end { answer.stream?.end() }
        try exchange()
        return answer
    }

    package func send(_ body: [UInt8], on answer: Answer) throws {
        answer.stream?.write([ByteBuffer(bytes: body)])
        try exchange()
    }

    /// Moves both clocks, with the answers to what that brings.
    package func advance(by time: TimeAmount) throws {
        server.channel.embeddedEventLoop.advanceTime(by: time)
        channel.embeddedEventLoop.advanceTime(by: time)
        try exchange()
    }

    private func exchange() throws {
        while true {
            let (toServer, toClient) = (try channel.allOutput(), try server.output())
            if toServer.readableBytes == 0, toClient.readableBytes == 0 { return }
            if toServer.readableBytes > 0 { server.feed(toServer) }
            guard channel.isActive, toClient.readableBytes > 0 else { continue }
            try channel.writeInbound(toClient)
        }
    }

    package func opened(_ stream: HTTP2Stream, headers: [HTTP2Header]) -> (any HTTP2StreamDelegate)? { nil }
    package func handshakeCompleted() {}
    package func closed(_ error: (any Error)?) {}
}
