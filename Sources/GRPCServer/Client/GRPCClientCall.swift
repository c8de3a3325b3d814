package import HTTP2
package import NIOCore

/// The delegate of a client's call, told on the event loop.
package protocol GRPCClientCallHandler: AnyObject {
    func received(_ message: ByteBuffer)
    /// The call is over. Called once, as the last.
    func closed(_ status: GRPCStatus)
}

/// One call of the minimal client; bound to its event loop.
package final class GRPCClientCall {
    private var handler: (any GRPCClientCallHandler)?
    private var stream: HTTP2Stream?
    private var reader = MessageReader(maxMessageSize: Int.max)
    private var status: GRPCStatus?

    init(handler: any GRPCClientCallHandler) {
        self.handler = handler
    }

    func start(_ stream: HTTP2Stream?) {
        self.stream = stream
        if stream == nil { end(GRPCStatus(.unavailable, "the connection is closed")) }
    }

    package func send(_ message: OutboundMessage) { stream?.write(message.framed) }

    private static let maxDecompressedSize = 1 << 30

    /// Nothing more will be sent.
    package func halfClose() { stream?.end() }

    /// Resets the stream.
    package func cancel() { stream?.reset(.cancel) }

    private func end(_ status: GRPCStatus) {
        let handler = self.handler
        self.handler = nil
        handler?.closed(status)
    }
}

extension GRPCClientCall: HTTP2StreamDelegate {
    package func received(headers: [HTTP2Header], on stream: HTTP2Stream) {
        if headers.contains(HTTP2Header("grpc-encoding", "gzip")) {
            reader = MessageReader(maxMessageSize: Int.max, acceptsCompressed: true)
        }
        if headers.contains(where: { $0.name == "grpc-status" }) {
            status = GRPCStatus(trailers: headers)
        } else if let http = headers.first(where: { $0.name == ":status" })?.value, http != "200" {
            status = GRPCStatus(.unknown, "HTTP status \(http)")
        }
    }

    package func received(body: ByteBuffer, on stream: HTTP2Stream) {
        reader.append(body)
        do {
            while let message = try reader.next() {
                let body =
                    message.isCompressed
                    ? try Gunzip.bytes(of: message.body, limit: Self.maxDecompressedSize) : message.body
                handler?.received(body)
            }
        } catch {
            status = error
            stream.reset(.cancel)
        }
    }

    package func inputClosed(on stream: HTTP2Stream) {}

    package func emptied(_ stream: HTTP2Stream) {}

    package func closed(_ stream: HTTP2Stream, code: HTTP2ErrorCode?) {
        self.stream = nil
        let fallback =
            code.map { GRPCStatus($0 == .cancel ? .cancelled : .unavailable, "stream reset: \($0.rawValue)") }
            ?? GRPCStatus(.unavailable, "connection lost")
        end(status ?? fallback)
    }
}

/// Bound to its event loop.
@available(*, unavailable)
extension GRPCClientCall: Sendable {}
