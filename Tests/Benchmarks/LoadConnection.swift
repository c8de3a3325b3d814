internal import CNGHTTP2
internal import GRPCServer
internal import Glibc
internal import HTTP2
internal import NIOCore

/// Who has a ``LoadConnection``.
protocol LoadConnectionUser: AnyObject {
    /// A message comes.
    ///
    /// - Parameter beginning: ``LoadConnection/enough`` of it, or all.
    /// - Returns: whether the rest is wanted too.
    func began(_ beginning: ByteBuffer, isCompressed: Bool) -> Bool

    /// It has come.
    ///
    /// - Parameters:
    ///   - message: all of it, if that was wanted.
    ///   - size: of all of it, in bytes.
    func ended(_ message: ByteBuffer, size: Int)

    func closed(_ status: GRPCStatus)
}

/// An HTTP/2 connection with one gRPC call on it, that does no more than it must, on either side: a load client shares the
/// cores with the server that is measured, whose real clients are on other machines, and a floor is what cannot be left out.
/// No event loop's channel and pipeline, no buffer of its own to read into, and of a message only what is wanted is kept.
///
/// nghttp2 calls back with a pointer to this object. That is sound because `deinit` frees the session, and callbacks only run
/// inside ``receive(with:)`` and ``flush(with:)``, whose callers hold the object. Bound to one thread.
@safe final class LoadConnection {
    private let descriptor: Int32
    private let session: OpaquePointer
    private unowned let user: any LoadConnectionUser
    private let isServer: Bool
    private var call: Int32 = 0
    /// Parts of messages that nghttp2 has not taken yet.
    private var requests = CircularBuffer<ByteBuffer>()
    /// nghttp2 has asked for more than there was.
    private var isDeferred = false
    /// What the socket did not take.
    private var unsent = ByteBuffer()
    private var incoming = IncomingMessage()
    private var headers: [HTTP2Header] = []
    private var end: GRPCStatus?

    /// So large that the server never has to wait for them.
    private static let streamWindow: Int32 = 16 << 20
    private static let connectionWindow: Int32 = 24 << 20
    /// Of a message, what is always kept.
    static let enough = 1_024

    /// - Parameter descriptor: a socket, closed with this object. It may still be connecting.
    init(descriptor: Int32, user: any LoadConnectionUser, isServer: Bool = false) {
        self.descriptor = descriptor
        self.user = user
        self.isServer = isServer
        var session: OpaquePointer?
        if isServer {
            unsafe nghttp2_session_server_new(&session, Self.callbacks.raw, nil)
        } else {
            unsafe nghttp2_session_client_new(&session, Self.callbacks.raw, nil)
        }
        guard let session = unsafe session else { fatalError("no memory for a session") }
        unsafe self.session = session
        unsafe nghttp2_session_set_user_data(session, Unmanaged.passUnretained(self).toOpaque())
        var settings = [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: UInt32(Self.streamWindow))
        ]
        if !isServer {
            settings.append(
                nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue), value: 0))
        }
        unsafe nghttp2_submit_settings(session, 0, settings, settings.count)
        unsafe nghttp2_session_set_local_window_size(session, 0, 0, Self.connectionWindow)
    }

    deinit {
        unsafe nghttp2_session_del(session)
        close(descriptor)
    }

    // MARK: Sending

    /// Opens the call; only a client does.
    func open(_ path: String, metadata: [HTTP2Header]) {
        let headers =
            [
                HTTP2Header(":method", "POST"), HTTP2Header(":scheme", "http"), HTTP2Header(":path", path),
                HTTP2Header(":authority", "localhost"), HTTP2Header("te", "trailers"),
                HTTP2Header("content-type", "application/grpc"),
            ] + metadata
        var provider = unsafe nghttp2_data_provider(source: nghttp2_data_source(), read_callback: readRequests)
        call = unsafe withNameValues(headers) { values in
            unsafe nghttp2_submit_request(session, nil, values.baseAddress, values.count, &provider, nil)
        }
    }

    /// Answers the call that has been opened.
    fileprivate func opened(_ id: Int32) {
        guard isServer, call == 0 else { return }
        call = id
        var provider = unsafe nghttp2_data_provider(source: nghttp2_data_source(), read_callback: readRequests)
        let headers = [HTTP2Header(":status", "200"), HTTP2Header("content-type", "application/grpc")]
        _ = unsafe withNameValues(headers) { values in
            unsafe nghttp2_submit_response(session, id, values.baseAddress, values.count, &provider)
        }
    }

    /// Queues a message for ``flush(with:)``.
    ///
    /// - Parameter parts: it is their concatenation.
    func send(_ parts: [ByteBuffer], isCompressed: Bool = false) {
        var prefix = ByteBuffer()
        prefix.reserveCapacity(5)
        prefix.writeInteger(UInt8(isCompressed ? 1 : 0))
        prefix.writeInteger(UInt32(clamping: parts.reduce(0) { $0 + $1.readableBytes }))
        requests.append(prefix)
        for part in parts where part.readableBytes > 0 { requests.append(part) }
        guard isDeferred else { return }
        isDeferred = false
        unsafe nghttp2_session_resume_data(session, call)
    }

    /// Writes what there is. What the socket does not take is kept for the next time.
    ///
    /// - Parameter output: memory to gather it in; it comes and goes empty.
    func flush(with output: inout ByteBuffer) {
        output.writeImmutableBuffer(unsent)
        unsent = ByteBuffer()
        while true {
            var bytes: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(session, &bytes)
            guard count > 0 else { break }
            unsafe output.writeBytes(UnsafeRawBufferPointer(start: bytes, count: count))
        }
        guard output.readableBytes > 0 else { return }
        let written = unsafe output.withUnsafeReadableBytes { bytes in
            unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        }
        if written < 0 && errno != EAGAIN { fail("cannot write: errno \(errno)") }
        output.moveReaderIndex(forwardBy: max(written, 0))
        if output.readableBytes > 0 { unsent.writeImmutableBuffer(output) }
        output.clear()
    }

    fileprivate func read(into target: UnsafeMutableRawBufferPointer) -> Int {
        var count = 0
        while count < target.count, var part = requests.popFirst() {
            let size = min(target.count - count, part.readableBytes)
            unsafe part.readWithUnsafeReadableBytes { bytes in
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[count...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<size]))
                return size
            }
            count += size
            if part.readableBytes > 0 { requests.prepend(part) }
        }
        isDeferred = count == 0
        return isDeferred ? Int(NGHTTP2_ERR_DEFERRED.rawValue) : count
    }

    // MARK: Receiving

    /// Takes all that the socket has.
    ///
    /// - Parameter memory: to read into.
    func receive(with memory: UnsafeMutableRawBufferPointer) {
        while end == nil {
            let count = unsafe recv(descriptor, memory.baseAddress, memory.count, 0)
            guard count > 0 else {
                if count == 0 {
                    fail("connection lost")
                } else if errno != EAGAIN {
                    fail("cannot read: errno \(errno)")
                }
                return
            }
            let taken = unsafe nghttp2_session_mem_recv(
                session, memory.baseAddress?.assumingMemoryBound(to: UInt8.self), count)
            if taken < 0 { fail(unsafe String(cString: nghttp2_strerror(Int32(clamping: taken)))) }
            // A stream socket gives all that it has.
            if count < memory.count { return }
        }
    }

    fileprivate func received(_ bytes: UnsafeRawBufferPointer) {
        unsafe incoming.append(bytes, for: user)
    }

    fileprivate func received(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
        headers.append(
            unsafe HTTP2Header(String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
    }

    fileprivate func callClosed() { finish(GRPCStatus(trailers: headers)) }

    private func fail(_ reason: String) { finish(GRPCStatus(.unavailable, reason)) }

    private func finish(_ status: GRPCStatus) {
        guard end == nil else { return }
        end = status
        user.closed(status)
    }

    private static let callbacks = Callbacks()
}

/// A message as it comes: first its beginning, which decides how much of it is kept.
private struct IncomingMessage {
    /// Of the five bytes that precede a message, those that have come.
    private var prefix: [UInt8] = []
    private var isCompressed = false
    private var size = 0
    private var left = 0
    private var kept = ByteBuffer()
    /// How much of the message is to be kept.
    private var wanted = 0
    private var isJudged = false

    mutating func append(_ bytes: UnsafeRawBufferPointer, for user: any LoadConnectionUser) {
        var rest = unsafe bytes[...]
        while true {
            if prefix.count < 5 {
                let count = unsafe min(5 - prefix.count, rest.count)
                unsafe prefix.append(contentsOf: rest.prefix(count))
                unsafe rest = unsafe rest.dropFirst(count)
                guard prefix.count == 5 else { return }
                begin()
            }
            let part = unsafe rest.prefix(isJudged ? left : min(left, wanted - kept.readableBytes))
            unsafe keep(part)
            left -= unsafe part.count
            unsafe rest = unsafe rest.dropFirst(part.count)
            if !isJudged {
                guard left == 0 || kept.readableBytes == wanted else { return }
                isJudged = true
                wanted = user.began(kept, isCompressed: isCompressed) ? size : 0
            } else if unsafe part.isEmpty && left > 0 {
                return
            }
            guard left == 0 else { continue }
            prefix.removeAll(keepingCapacity: true)
            let message = kept
            kept = ByteBuffer()
            user.ended(message, size: size)
        }
    }

    private mutating func begin() {
        isCompressed = prefix[0] == 1
        size = prefix[1...].reduce(0) { $0 << 8 | Int($1) }
        left = size
        wanted = min(size, LoadConnection.enough)
        isJudged = false
    }

    private mutating func keep(_ part: Slice<UnsafeRawBufferPointer>) {
        let count = min(unsafe part.count, wanted - kept.readableBytes)
        guard count > 0 else { return }
        if wanted > kept.capacity { kept.reserveCapacity(wanted) }
        unsafe kept.writeBytes(UnsafeRawBufferPointer(rebasing: part.prefix(count)))
    }
}

/// `nghttp2_session_callbacks`, made once.
@safe private struct Callbacks: @unchecked Sendable {
    let raw: OpaquePointer

    init() {
        var callbacks: OpaquePointer?
        unsafe nghttp2_session_callbacks_new(&callbacks)
        guard let callbacks = unsafe callbacks else { fatalError("no memory for callbacks") }
        unsafe raw = callbacks
        unsafe nghttp2_session_callbacks_set_on_header_callback(raw) { _, _, name, nameCount, value, count, _, user in
            unsafe connection(user)?.received(
                UnsafeBufferPointer(start: name, count: nameCount), UnsafeBufferPointer(start: value, count: count))
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(raw) { _, frame, user in
            if let frame = unsafe frame { unsafe connection(user)?.opened(frame.pointee.hd.stream_id) }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(raw) { _, _, _, bytes, count, user in
            unsafe connection(user)?.received(UnsafeRawBufferPointer(start: bytes, count: count))
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(raw) { _, _, _, user in
            unsafe connection(user)?.callClosed()
            return 0
        }
    }
}

private func readRequests(
    _: OpaquePointer?, _: Int32, _ target: UnsafeMutablePointer<UInt8>?, _ size: Int,
    _: UnsafeMutablePointer<UInt32>?, _: UnsafeMutablePointer<nghttp2_data_source>?,
    _ user: UnsafeMutableRawPointer?
) -> Int {
    unsafe connection(user)?.read(into: UnsafeMutableRawBufferPointer(start: target, count: size))
        ?? Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
}

private func connection(_ user: UnsafeMutableRawPointer?) -> LoadConnection? {
    unsafe user.map { unsafe Unmanaged<LoadConnection>.fromOpaque($0).takeUnretainedValue() }
}
