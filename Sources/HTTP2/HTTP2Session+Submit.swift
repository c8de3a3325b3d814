internal import CNGHTTP2
internal import NIOCore

/// Requests to nghttp2 to send something. Failures mean that the stream or connection is already ending (or memory is
/// exhausted), which the callbacks report: the stream is reset and nothing is thrown.
extension HTTP2Session {
    func submitResponse(_ headers: [HTTP2Header], on stream: HTTP2Stream, endStream: Bool) {
        if endStream { stream.markEnded() }
        var provider = unsafe nghttp2_data_provider(source: nghttp2_data_source(), read_callback: readBody)
        let code = unsafe withNameValues(headers) { values in
            if endStream {
                unsafe nghttp2_submit_response(raw, stream.id, values.baseAddress, values.count, nil)
            } else {
                unsafe nghttp2_submit_response(raw, stream.id, values.baseAddress, values.count, &provider)
            }
        }
        if code != 0 { submitReset(stream, code: .internalError) }
        observer?.needsFlush()
    }

    /// Client: opens a stream.
    ///
    /// - Returns: the stream, or `nil` when the connection accepts no more.
    func submitRequest(_ headers: [HTTP2Header], delegate: any HTTP2StreamDelegate) -> HTTP2Stream? {
        var provider = unsafe nghttp2_data_provider(source: nghttp2_data_source(), read_callback: readBody)
        let id = unsafe withNameValues(headers) { values in
            unsafe nghttp2_submit_request(raw, nil, values.baseAddress, values.count, &provider, nil)
        }
        guard id > 0 else { return nil }
        let stream = HTTP2Stream(id: id, session: self)
        stream.delegate = delegate
        streams[id] = stream
        observer?.needsFlush()
        return stream
    }

    func resume(_ stream: HTTP2Stream) {
        if stream.isDeferred {
            stream.isDeferred = false
            unsafe nghttp2_session_resume_data(raw, stream.id)
        }
        observer?.needsFlush()
    }

    func submitReset(_ stream: HTTP2Stream, code: HTTP2ErrorCode) {
        stream.discard()
        stream.markEnded()
        unsafe nghttp2_submit_rst_stream(raw, 0, stream.id, code.rawValue)
        observer?.needsFlush()
    }

    func submitTrailers(_ trailers: [HTTP2Header], on stream: HTTP2Stream) {
        let code = unsafe withNameValues(trailers) { values in
            unsafe nghttp2_submit_trailer(raw, stream.id, values.baseAddress, values.count)
        }
        if code != 0 { submitReset(stream, code: .internalError) }
    }

    func submitPing() {
        unsafe nghttp2_submit_ping(raw, 0, nil)
        observer?.needsFlush()
    }

    /// First step of a graceful end: the peer is told not to open streams, those on their way are still served.
    func submitShutdownNotice() {
        unsafe nghttp2_submit_shutdown_notice(raw)
        observer?.needsFlush()
    }

    /// Last step of a graceful end: streams newer than the last one seen are not served.
    func submitGoAway() {
        let last = unsafe nghttp2_session_get_last_proc_stream_id(raw)
        unsafe nghttp2_submit_goaway(raw, 0, last, HTTP2ErrorCode.noError.rawValue, nil, 0)
        observer?.needsFlush()
    }

    /// Ends the connection: GOAWAY, then nothing is read any more.
    func terminate(_ code: HTTP2ErrorCode) {
        unsafe nghttp2_session_terminate_session(raw, code.rawValue)
        observer?.needsFlush()
    }
}
