internal import CNGHTTP2
internal import NIOCore

/// The events that nghttp2 has found in the bytes of the peer.
extension HTTP2Session {
    /// Counts frames that cost the peer nothing and us work. DATA with content and HEADERS are bounded by flow control and
    /// by the number of streams. Clients trust their server.
    ///
    /// - Parameter number: of the frame, from 0.
    /// - Returns: whether the connection goes on.
    func accepts(_ header: FrameCursor.Header, number: Int) -> Bool {
        guard role == .server else { return true }
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue:
            headerBlock = header.has(NGHTTP2_FLAG_END_HEADERS.rawValue) ? nil : (number, 0)
            return true
        case NGHTTP2_CONTINUATION.rawValue:
            let count = (headerBlock?.continuations ?? 0) + 1
            headerBlock?.continuations = count
            if header.has(NGHTTP2_FLAG_END_HEADERS.rawValue) { headerBlock = nil }
            return count <= configuration.maxContinuations
        case NGHTTP2_DATA.rawValue:
            let isEmpty = header.length == 0 && !header.has(NGHTTP2_FLAG_END_STREAM.rawValue)
            // Nobody pads but who wants frames that look full.
            return !(isEmpty || header.has(NGHTTP2_FLAG_PADDED.rawValue)) || controlFrames.take(at: now)
        case NGHTTP2_RST_STREAM.rawValue:
            return resets.take(at: now)
        case NGHTTP2_WINDOW_UPDATE.rawValue:
            return isWindowUpdateDue() || controlFrames.take(at: now)
        default:
            return controlFrames.take(at: now)
        }
    }

    /// A receiver gives back what it was sent, and not in crumbs (CVE-2019-9511).
    private func isWindowUpdateDue() -> Bool {
        guard unansweredData >= HTTP2Configuration.dataPerWindowUpdate else { return false }
        unansweredData -= HTTP2Configuration.dataPerWindowUpdate
        return true
    }

    /// Counts the errors that the peer makes us answer: a flood of them costs as much as a flood of resets.
    func resetSent(_ code: HTTP2ErrorCode) {
        guard code != .noError, code != .cancel else { return }
        if !resets.take(at: now) { terminate(.enhanceYourCalm) }
    }

    /// Our side of a stream has ended. A server wants no more of a request that it has answered; `NO_ERROR` says so
    /// (RFC 9113 section 8.1).
    func endSent(on id: Int32) {
        guard role == .server, let stream = streams[id], !stream.isInputClosed else { return }
        submitReset(stream, code: .noError)
    }

    func headersBegan(on id: Int32) {
        if role == .server, streams[id] == nil { streams[id] = HTTP2Stream(id: id, session: self) }
        streams[id]?.incoming = []
        streams[id]?.incomingCost = 0
    }

    /// - Returns: zero, or the code that makes nghttp2 ignore the rest of the block.
    func headerReceived(
        on id: Int32, name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>
    ) -> CInt {
        guard let stream = streams[id] else { return 0 }
        stream.incomingCost += HTTP2Header.cost(name: name.count, value: value.count)
        guard stream.incomingCost <= configuration.maxHeaderListSize else {
            stream.incoming = []
            stream.reset(.enhanceYourCalm)
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
        }
        stream.incoming.append(
            unsafe HTTP2Header(String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
        return 0
    }

    func dataReceived(on id: Int32, bytes: UnsafeRawBufferPointer) {
        guard let stream = streams[id], let delegate = stream.delegate else { return }
        // nghttp2 hands out pointers into our buffer; the slice keeps that buffer alive instead of copying it.
        let offset = unsafe input.withUnsafeReadableBytes { whole -> Int? in
            guard let base = whole.baseAddress, let start = bytes.baseAddress,
                unsafe start >= base, unsafe start + bytes.count <= base + whole.count
            else { return nil }
            return unsafe start - base
        }
        if let offset, let slice = input.getSlice(at: input.readerIndex + offset, length: bytes.count) {
            delegate.received(body: slice, on: stream)
        } else {
            delegate.received(body: unsafe ByteBuffer(bytes: bytes), on: stream)
        }
    }

    func frameReceived(_ header: nghttp2_frame_hd) {
        let flags = UInt32(header.flags)
        switch UInt32(header.type) {
        case NGHTTP2_SETTINGS.rawValue where flags & NGHTTP2_FLAG_ACK.rawValue == 0:
            observer?.handshakeCompleted()
        case NGHTTP2_PING.rawValue where flags & NGHTTP2_FLAG_ACK.rawValue != 0:
            observer?.pingAcknowledged()
        case NGHTTP2_HEADERS.rawValue:
            headersReceived(on: header.stream_id)
            if flags & NGHTTP2_FLAG_END_STREAM.rawValue != 0 { inputClosed(on: header.stream_id) }
        case NGHTTP2_DATA.rawValue where flags & NGHTTP2_FLAG_END_STREAM.rawValue != 0:
            inputClosed(on: header.stream_id)
        default:
            break
        }
    }

    private func headersReceived(on id: Int32) {
        guard let stream = streams[id] else { return }
        let headers = stream.incoming
        stream.incoming = []
        if let delegate = stream.delegate {
            delegate.received(headers: headers, on: stream)
        } else {
            observer?.opened(stream, headers: headers)
        }
    }

    private func inputClosed(on id: Int32) {
        guard let stream = streams[id] else { return }
        stream.isInputClosed = true
        stream.delegate?.inputClosed(on: stream)
    }

    func streamClosed(_ id: Int32, code: HTTP2ErrorCode) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        stream.session = nil
        stream.discard()
        let delegate = stream.delegate
        stream.delegate = nil
        delegate?.closed(stream, code: code)
    }
}
