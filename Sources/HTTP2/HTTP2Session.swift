internal import CNGHTTP2
internal import NIOCore

/// Which end of the connection this is. The client role exists for tests and for generating load.
package enum HTTP2Role: Sendable {
    case server
    case client
}

/// The delegate of a session: its connection.
protocol HTTP2SessionObserver: AnyObject {
    /// Server: the request headers of a new stream are complete.
    func opened(_ stream: HTTP2Stream, headers: [HTTP2Header])
    /// Something waits to be sent.
    func needsFlush()
    /// The peer's first SETTINGS arrived.
    func handshakeCompleted()
    func pingAcknowledged()
}

/// Owns one `nghttp2_session`, used as a codec from memory to memory. Not thread-safe: bound to one event loop.
///
/// nghttp2 calls back with a pointer to this object. That is sound because the pointer lives as long as the object
/// (`deinit` frees the session), and callbacks only run inside ``receive(_:at:)`` and ``pull(limit:)``, whose callers
/// hold it.
@safe final class HTTP2Session {
    let raw: OpaquePointer
    let role: HTTP2Role
    let configuration: HTTP2Configuration
    /// Its owner, which takes itself away when it is done with the session. Here and in the streams no reference is weak: one
    /// would make counting the others slower, with every frame.
    var observer: (any HTTP2SessionObserver)?

    var streams: [Int32: HTTP2Stream] = [:]
    /// Streams whose queue became empty during ``pull(limit:)``.
    var emptied: [HTTP2Stream] = []
    var batch = OutboundBatch()
    var batchLimit = 0

    /// The buffer that nghttp2 is reading, so that DATA is passed on as slices of it.
    var input = ByteBuffer()
    var now: NIODeadline
    var controlFrames: TokenBucket
    var resets: TokenBucket
    /// DATA bytes sent that no WINDOW_UPDATE has been counted against yet.
    var unansweredData = 0

    private var cursor: FrameCursor
    /// The header block whose END_HEADERS has not come: the number of its first frame, and its CONTINUATION frames.
    var headerBlock: (start: Int, continuations: Int)?
    /// The frame or header block whose end has not come, as the number of its first frame.
    var unfinished: Int? { headerBlock?.start ?? cursor.unfinishedFrame }

    /// - Throws: ``HTTP2Error/session(code:reason:)`` when memory is exhausted.
    init(role: HTTP2Role, configuration: HTTP2Configuration, now: NIODeadline) throws(HTTP2Error) {
        self.role = role
        self.configuration = configuration
        self.now = now
        self.controlFrames = TokenBucket(configuration.controlFrames, at: now)
        self.resets = TokenBucket(configuration.resets, at: now)
        self.cursor = FrameCursor(preface: role == .server ? Int(NGHTTP2_CLIENT_MAGIC_LEN) : 0)

        let callbacks = try NGHTTP2Callbacks()
        let options = try NGHTTP2Options(configuration)
        var session: OpaquePointer?
        let code =
            switch role {
            case .server: unsafe nghttp2_session_server_new2(&session, callbacks.raw, nil, options.raw)
            case .client: unsafe nghttp2_session_client_new2(&session, callbacks.raw, nil, options.raw)
            }
        guard let session = unsafe session else { throw HTTP2Error(code) }
        unsafe self.raw = session
        unsafe nghttp2_session_set_user_data(raw, Unmanaged.passUnretained(self).toOpaque())
        try submitSettings()
    }

    deinit {
        unsafe nghttp2_session_del(raw)
    }

    private func submitSettings() throws(HTTP2Error) {
        var entries = [
            // Streams are few and long, so headers that are remembered would only be in memory.
            nghttp2_settings_entry(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, 0),
            nghttp2_settings_entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, configuration.maxConcurrentStreams),
            nghttp2_settings_entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, UInt32(clamping: configuration.streamWindow)),
            nghttp2_settings_entry(NGHTTP2_SETTINGS_MAX_FRAME_SIZE, configuration.maxFrameSize),
            nghttp2_settings_entry(
                NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, UInt32(clamping: configuration.maxHeaderListSize)),
        ]
        if role == .client { entries.append(nghttp2_settings_entry(NGHTTP2_SETTINGS_ENABLE_PUSH, 0)) }
        try check(unsafe nghttp2_submit_settings(raw, 0, entries, entries.count))
        try check(unsafe nghttp2_session_set_local_window_size(raw, 0, 0, configuration.connectionWindow))
    }

    // MARK: Bytes in and out

    /// Feeds bytes from the socket.
    ///
    /// - Throws: ``HTTP2Error/flood``, or ``HTTP2Error/session(code:reason:)`` when the session cannot go on for another
    ///   reason, such as a wrong preface. What ``pull(limit:)`` then returns (a GOAWAY) should still be sent.
    func receive(_ buffer: ByteBuffer, at now: NIODeadline) throws(HTTP2Error) {
        self.now = now
        var rest = buffer
        while let header = cursor.next(in: &rest) {
            guard !accepts(header, number: cursor.frames - 1) else { continue }
            let read = max(rest.readerIndex - FrameCursor.headerLength - buffer.readerIndex, 0)
            try feed(buffer.getSlice(at: buffer.readerIndex, length: read) ?? ByteBuffer())
            terminate(.enhanceYourCalm)
            throw .flood
        }
        try feed(buffer)
    }

    private func feed(_ buffer: ByteBuffer) throws(HTTP2Error) {
        input = buffer
        defer { input = ByteBuffer() }
        let consumed = unsafe buffer.withUnsafeReadableBytes { bytes in
            unsafe nghttp2_session_mem_recv(
                raw, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
        }
        guard consumed < 0 else { return }
        let error = HTTP2Error(Int32(clamping: consumed))
        if error == .flood { terminate(.enhanceYourCalm) }
        throw error
    }

    /// Serialises waiting frames into ``batch``, control frames first, until about `limit` bytes are there.
    ///
    /// - Returns: whether more is waiting.
    func pull(limit: Int) throws(HTTP2Error) -> Bool {
        batchLimit = limit
        while true {
            var bytes: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(raw, &bytes)
            if count < 0 { throw HTTP2Error(Int32(clamping: count)) }
            if count == 0 { break }
            unsafe batch.append(copying: UnsafeRawBufferPointer(start: bytes, count: count))
            if batch.count >= limit { return true }
        }
        return batch.count >= limit
    }

    /// Neither side can do anything more: the connection can be closed.
    var isFinished: Bool {
        unsafe nghttp2_session_want_read(raw) == 0 && nghttp2_session_want_write(raw) == 0
    }

    /// Streams that are told, at the end of the connection, that it ended first.
    func takeStreams() -> [HTTP2Stream] {
        let all = streams.values.sorted { $0.id < $1.id }
        streams = [:]
        for stream in all { stream.session = nil }
        return all
    }

    func check(_ code: Int32) throws(HTTP2Error) {
        if code < 0 { throw HTTP2Error(code) }
    }
}

extension HTTP2Error {
    init(_ code: Int32) {
        // Acknowledgements that the peer does not read.
        if code == NGHTTP2_ERR_FLOODED.rawValue {
            self = .flood
        } else {
            self = .session(code: code, reason: unsafe String(cString: nghttp2_strerror(code)))
        }
    }
}

extension nghttp2_settings_entry {
    init(_ id: nghttp2_settings_id, _ value: UInt32) {
        self.init(settings_id: Int32(bitPattern: id.rawValue), value: value)
    }
}
