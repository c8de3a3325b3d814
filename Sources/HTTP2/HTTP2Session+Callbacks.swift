internal import CNGHTTP2
internal import NIOCore

// The functions that nghttp2 calls, each with the session as its last argument. They do no more than find the
// stream and pass on; the types are nghttp2's, so everything here is an unsafe call by nature.

/// The session behind nghttp2's `user_data`.
private func session(_ userData: UnsafeMutableRawPointer?) -> HTTP2Session? {
    unsafe userData.map { unsafe Unmanaged<HTTP2Session>.fromOpaque($0).takeUnretainedValue() }
}

func headersBegan(
    _: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ userData: UnsafeMutableRawPointer?
) -> CInt {
    guard let session = unsafe session(userData), let frame = unsafe frame?.pointee else { return 0 }
    unsafe session.headersBegan(on: frame.hd.stream_id)
    return 0
}

func headerReceived(
    _: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ name: UnsafePointer<UInt8>?, _ nameCount: Int,
    _ value: UnsafePointer<UInt8>?, _ valueCount: Int, _: UInt8, _ userData: UnsafeMutableRawPointer?
) -> CInt {
    guard let session = unsafe session(userData), let frame = unsafe frame?.pointee else { return 0 }
    return unsafe session.headerReceived(
        on: frame.hd.stream_id,
        name: UnsafeBufferPointer(start: name, count: nameCount),
        value: UnsafeBufferPointer(start: value, count: valueCount))
}

func dataReceived(
    _: OpaquePointer?, _: UInt8, _ id: Int32, _ bytes: UnsafePointer<UInt8>?, _ count: Int,
    _ userData: UnsafeMutableRawPointer?
) -> CInt {
    guard let session = unsafe session(userData), let bytes = unsafe bytes else { return 0 }
    unsafe session.dataReceived(on: id, bytes: UnsafeRawBufferPointer(start: bytes, count: count))
    return 0
}

func frameReceived(
    _: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ userData: UnsafeMutableRawPointer?
) -> CInt {
    guard let session = unsafe session(userData), let frame = unsafe frame?.pointee else { return 0 }
    unsafe session.frameReceived(frame.hd)
    return 0
}

func frameSent(
    _: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ userData: UnsafeMutableRawPointer?
) -> CInt {
    guard let session = unsafe session(userData), let frame = unsafe frame?.pointee else { return 0 }
    switch unsafe UInt32(frame.hd.type) {
    case NGHTTP2_RST_STREAM.rawValue:
        session.resetSent(HTTP2ErrorCode(rawValue: unsafe frame.rst_stream.error_code))
    case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
        if unsafe UInt32(frame.hd.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0 {
            unsafe session.endSent(on: frame.hd.stream_id)
        }
    default:
        break
    }
    return 0
}

func streamClosed(
    _: OpaquePointer?, _ id: Int32, _ code: UInt32, _ userData: UnsafeMutableRawPointer?
) -> CInt {
    guard let session = unsafe session(userData) else { return 0 }
    session.streamClosed(id, code: HTTP2ErrorCode(rawValue: code))
    return 0
}

/// Tells nghttp2 how much the next DATA frame carries; the bytes themselves go past it, in ``sendBody``.
func readBody(
    _: OpaquePointer?, _ id: Int32, _: UnsafeMutablePointer<UInt8>?, _ limit: Int,
    _ flags: UnsafeMutablePointer<UInt32>?, _: UnsafeMutablePointer<nghttp2_data_source>?,
    _ userData: UnsafeMutableRawPointer?
) -> Int {
    guard let session = unsafe session(userData), let flags = unsafe flags, let stream = session.streams[id] else {
        return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
    }
    let count = min(limit, stream.pendingBytes)
    if count == stream.pendingBytes {
        switch stream.ending {
        case .open, .submitted:
            if count == 0 {
                stream.isDeferred = true
                return Int(NGHTTP2_ERR_DEFERRED.rawValue)
            }
        case .endStream:
            unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            stream.markEnded()
        case .trailers(let trailers):
            unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue | NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
            stream.markEnded()
            session.submitTrailers(trailers, on: stream)
        }
    }
    if count > 0 { unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue }
    return count
}

/// Writes one DATA frame: nine bytes of header, and `count` bytes as slices of the stream's queue.
func sendBody(
    _: OpaquePointer?, _ frame: UnsafeMutablePointer<nghttp2_frame>?, _ header: UnsafePointer<UInt8>?, _ count: Int,
    _: UnsafeMutablePointer<nghttp2_data_source>?, _ userData: UnsafeMutableRawPointer?
) -> CInt {
    guard let session = unsafe session(userData), let frame = unsafe frame?.pointee,
        let stream = session.streams[unsafe frame.hd.stream_id]
    else { return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue }
    // nghttp2 keeps the frame and asks again at the next pull.
    guard session.batch.count < session.batchLimit else { return NGHTTP2_ERR_WOULDBLOCK.rawValue }
    unsafe session.batch.append(copying: UnsafeRawBufferPointer(start: header, count: 9))
    stream.dequeue(count, into: &session.batch)
    session.unansweredData += count
    if stream.pendingBytes == 0 { session.emptied.append(stream) }
    return 0
}
