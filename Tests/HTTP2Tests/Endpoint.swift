import HTTP2
import NIOCore
import NIOEmbedded

/// One end of a connection in memory, which writes down what happens.
final class Endpoint: HTTP2ConnectionDelegate {
    let channel: EmbeddedChannel
    private(set) var connection: HTTP2Connection?
    private(set) var streams: [HTTP2Stream] = []
    private(set) var records: [Record] = []
    private(set) var closures = 0
    private(set) var error: (any Error)?
    /// What a server does with a request.
    var onRequest: (HTTP2Stream, Record) -> Void = { _, _ in }

    init(_ role: HTTP2Role, _ configuration: HTTP2Configuration = HTTP2Configuration()) throws {
        channel = EmbeddedChannel()
        let connection = HTTP2Connection(role, configuration: configuration, delegate: self)
        self.connection = connection
        try channel.pipeline.syncOperations.addHandler(connection)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
    }

    func opened(_ stream: HTTP2Stream, headers: [HTTP2Header]) -> (any HTTP2StreamDelegate)? {
        let record = Record(headers: headers)
        streams.append(stream)
        records.append(record)
        onRequest(stream, record)
        return record
    }

    func handshakeCompleted() {}

    func closed(_ error: (any Error)?) {
        closures += 1
        self.error = error
    }

    func request(_ headers: [HTTP2Header] = Endpoint.headers) throws -> (HTTP2Stream, Record) {
        let record = Record(headers: [])
        guard let stream = connection?.request(headers, delegate: record) else { throw NoStream() }
        return (stream, record)
    }

    struct NoStream: Error {}

    static let headers = [
        HTTP2Header(":method", "POST"), HTTP2Header(":scheme", "http"), HTTP2Header(":path", "/a/b"),
        HTTP2Header(":authority", "x"),
    ]

    /// Everything written since the last time, as one buffer, with what the rest of the loop's turn writes.
    func output() throws -> ByteBuffer {
        channel.embeddedEventLoop.run()
        return try written()
    }

    /// Everything written since the last time, as one buffer.
    func written() throws -> ByteBuffer {
        var all = ByteBuffer()
        while var piece = try channel.readOutbound(as: ByteBuffer.self) { all.writeBuffer(&piece) }
        return all
    }

    /// Feeds bytes as one read; errors of a closed channel do not matter here.
    func feed(_ bytes: ByteBuffer) {
        guard channel.isActive else { return }
        _ = try? channel.writeInbound(bytes)
        channel.embeddedEventLoop.run()
    }

    func finish() {
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }

    /// Carries bytes between two ends until both are quiet.
    static func exchange(_ a: Endpoint, _ b: Endpoint, chunk: Int = .max) throws {
        while true {
            var (toB, toA) = (try a.output(), try b.output())
            if toA.readableBytes == 0, toB.readableBytes == 0 { return }
            while let piece = toB.readSlice(length: min(chunk, toB.readableBytes)), piece.readableBytes > 0 {
                b.feed(piece)
            }
            while let piece = toA.readSlice(length: min(chunk, toA.readableBytes)), piece.readableBytes > 0 {
                a.feed(piece)
            }
        }
    }
}

/// What happened on one stream.
final class Record: HTTP2StreamDelegate {
    var headers: [HTTP2Header]
    var trailers: [HTTP2Header] = []
    var body = ByteBuffer()
    var inputClosures = 0
    var drains = 0
    var closures: [HTTP2ErrorCode?] = []
    var onBody: (HTTP2Stream, ByteBuffer) -> Void = { _, _ in }
    var onInputClosed: (HTTP2Stream) -> Void = { _ in }
    var onDrained: (HTTP2Stream) -> Void = { _ in }

    init(headers: [HTTP2Header]) { self.headers = headers }

    func received(headers: [HTTP2Header], on stream: HTTP2Stream) {
        if self.headers.isEmpty { self.headers = headers } else { trailers = headers }
    }
    func received(body: ByteBuffer, on stream: HTTP2Stream) {
        self.body.writeImmutableBuffer(body)
        onBody(stream, body)
    }
    func inputClosed(on stream: HTTP2Stream) {
        inputClosures += 1
        onInputClosed(stream)
    }
    func emptied(_ stream: HTTP2Stream) {
        drains += 1
        onDrained(stream)
    }
    func closed(_ stream: HTTP2Stream, code: HTTP2ErrorCode?) { closures.append(code) }
}
