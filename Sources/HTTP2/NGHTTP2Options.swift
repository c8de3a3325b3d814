internal import CNGHTTP2

/// `nghttp2_option`, freed when this goes. nghttp2 copies what it needs when a session is made.
@safe struct NGHTTP2Options: ~Copyable {
    let raw: OpaquePointer

    init(_ configuration: HTTP2Configuration) throws(HTTP2Error) {
        var option: OpaquePointer?
        let code = unsafe nghttp2_option_new(&option)
        guard let option = unsafe option else { throw HTTP2Error(code) }
        unsafe raw = option
        unsafe nghttp2_option_set_no_closed_streams(raw, 1)
        // As what we ask of the peer in our SETTINGS.
        unsafe nghttp2_option_set_max_deflate_dynamic_table_size(raw, 0)
        unsafe nghttp2_option_set_max_outbound_ack(raw, configuration.maxPendingAcknowledgements)
        // The session counts: resets together with those that we are made to send, and CONTINUATION frames, of which
        // nghttp2 takes one that comes in pieces for several.
        unsafe nghttp2_option_set_max_continuations(raw, Int(Int32.max))
        unsafe nghttp2_option_set_stream_reset_rate_limit(raw, UInt64(UInt32.max), UInt64(UInt32.max))
    }

    deinit {
        unsafe nghttp2_option_del(raw)
    }
}

/// `nghttp2_session_callbacks`, freed when this goes. nghttp2 copies the table when a session is made.
@safe struct NGHTTP2Callbacks: ~Copyable {
    let raw: OpaquePointer

    init() throws(HTTP2Error) {
        var callbacks: OpaquePointer?
        let code = unsafe nghttp2_session_callbacks_new(&callbacks)
        guard let callbacks = unsafe callbacks else { throw HTTP2Error(code) }
        unsafe raw = callbacks
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(raw, headersBegan)
        unsafe nghttp2_session_callbacks_set_on_header_callback(raw, headerReceived)
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(raw, dataReceived)
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(raw, frameReceived)
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(raw, frameSent)
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(raw, streamClosed)
        unsafe nghttp2_session_callbacks_set_send_data_callback(raw, sendBody)
    }

    deinit {
        unsafe nghttp2_session_callbacks_del(raw)
    }
}
