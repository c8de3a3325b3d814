package import HTTP2
package import NIOCore
package import NIOSSL

extension GRPCServer {
    /// An address to serve on.
    package struct Listener: Sendable {
        package enum Address: Sendable, Hashable {
            /// Port 0: the system chooses; see ``GRPCServer/addresses()``.
            case host(String, port: Int)
            /// A socket file that is left from a dead process is replaced.
            case unixDomainSocket(path: String)
        }

        package var address: Address

        /// Asked for each accepted connection, so new certificates take effect without a restart. It should offer ALPN
        /// `h2`. `nil`: plaintext with prior knowledge.
        package var tls: (@Sendable () throws -> NIOSSLContext)?

        package init(_ address: Address, tls: (@Sendable () throws -> NIOSSLContext)? = nil) {
            self.address = address
            self.tls = tls
        }
    }

    /// Addresses and limits.
    package struct Configuration: Sendable {
        package var listeners: [Listener]
        package var http2 = HTTP2Configuration()

        /// Connections above this number are refused: their calls end with RESOURCE_EXHAUSTED and the name of the limit.
        package var maxConnections = 20_000

        /// Connections from one IP address above this number are refused in the same way.
        package var maxConnectionsPerAddress = 10_000

        /// Connections that are told at a time why they are refused. More are closed as soon as they are accepted, as each
        /// answer costs a handshake.
        package var maxRefusedConnections = 64

        /// How long a connection may be without a call before one of its calls has shown who the client is
        /// (``GRPCConnection/trust()``). Then it is closed.
        package var strangerTimeout: TimeAmount = .seconds(10)

        /// Bytes of one message from a client; a larger one ends the call with RESOURCE_EXHAUSTED.
        package var maxMessageSize = 4 << 20

        /// Bytes of half-received messages that a connection may hold, over all its calls.
        package var maxBufferedInput = 16 << 20

        /// Bytes of half-received messages that all connections may hold together. Above it only connections are refused
        /// more that hold more than ``freeBufferedInput``, so that a few cannot take it from the others.
        package var maxTotalBufferedInput = 256 << 20
        package var freeBufferedInput = 64 << 10

        /// How long a client may take from opening a call to the end of its first message, and from the first to the last
        /// byte of any other. Then the call ends with DEADLINE_EXCEEDED.
        package var messageTimeout: TimeAmount = .seconds(30)

        /// Bytes that may wait in one call besides a first message of any size.
        package var maxQueuedBytes = 16 << 20

        /// Age at which a connection is closed gracefully, ± 10 %, so that clients spread over the servers anew.
        package var maxConnectionAge: TimeAmount?

        /// Time that calls have to end by themselves when their connection is closed gracefully.
        package var gracePeriod: TimeAmount = .seconds(10)

        package init(listeners: [Listener]) {
            self.listeners = listeners
        }
    }
}
