package import NIOCore

/// Serves calls.
package protocol GRPCService: Sendable {
    /// Request headers arrived. Called on the connection's event loop; must not block.
    ///
    /// - Returns: who serves the call. `nil` ends it: with the status that ``GRPCCall/finish(_:)`` was given here, or
    ///   with UNIMPLEMENTED.
    func open(_ call: GRPCCall) -> (any GRPCCallHandler)?
}

/// The handler of one call. Every method is called on the call's event loop and must not block.
///
/// The call keeps its handler until ``closed(_:)``.
package protocol GRPCCallHandler: AnyObject {
    /// One whole message. It may share memory with its neighbours: copy what has to be kept for long.
    func received(_ message: ByteBuffer)

    /// The client sends nothing more.
    func inputClosed()

    /// ``GRPCCall/isWritable`` has become true again: the place to send the newest state.
    func writable()

    /// The connection is going away, because of its age or because the server stops. Finish with UNAVAILABLE soon;
    /// after the grace period the server does it. Does nothing by default.
    func draining()

    /// The call is over. Called once, as the last.
    func closed(_ reason: GRPCCloseReason)
}

extension GRPCCallHandler {
    package func draining() {}
}

/// Why a call is over.
package enum GRPCCloseReason: Sendable, Equatable {
    /// We ended it: by ``GRPCCall/finish(_:)``, the deadline, a violation of the protocol or the end of a grace period.
    case finished(GRPCStatus)
    /// The client reset the stream (HTTP/2 error code).
    case cancelled(UInt32)
    /// The connection ended first.
    case connectionLost
}
