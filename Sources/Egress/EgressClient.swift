internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// The one way by which the server calls URLs that users name: metric providers, exporters, webhooks, keys, lists.
///
/// Every call resolves its name once, checks all addresses and connects to one of those, so that a name which changes its
/// address in between gains nothing. Each has a connection of its own. No redirect is followed, no proxy of the environment is
/// asked, nothing is decompressed.
package final class EgressClient: Sendable {
    /// Addresses of a name that are tried, one after the other.
    private static let attempts = 4

    private let policy: EgressPolicy
    private let connectTimeout: Duration
    private let resolver: any NameResolver
    private let loops: any EventLoopGroup
    private let tls: NIOSSLContext
    private let bounds = CallBounds()

    /// Makes a client, which has to be ``shutdown()``.
    ///
    /// - Parameter resolver: finds the addresses of names; the C library's if `nil`.
    /// - Parameter authorities: a file of certificates (PEM) that are trusted besides the system's.
    /// - Throws: if that file cannot be used.
    package init(
        policy: EgressPolicy, resolver: (any NameResolver)? = nil, authorities: String? = nil,
        connectTimeout: Duration = .seconds(2)
    ) throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = ["http/1.1"]
        if let authorities { configuration.additionalTrustRoots = [.file(authorities)] }
        tls = try NIOSSLContext(configuration: configuration)
        self.policy = policy
        self.connectTimeout = connectTimeout
        loops = MultiThreadedEventLoopGroup.singleton
        self.resolver = resolver ?? SystemResolver(loops: loops)
    }

    /// Ends the threads that resolve names; calls fail from then on.
    package func shutdown() async { await resolver.shutdown() }

    /// The number of calls that wait for their turn.
    package var waiting: Int { bounds.waiting }

    package func call(_ request: EgressRequest) async throws(EgressFailure) -> EgressResponse {
        let url = try EgressURL(request.url)
        try request.check()
        let deadline = NIODeadline.now() + request.timeout.amount
        try await bounds.enter(request.bounds, until: deadline, on: loops.next())
        defer { bounds.leave(request.bounds) }
        let addresses = try await addresses(of: url, until: deadline)
        try policy.check(addresses, isEncrypted: url.isEncrypted)
        var failure = EgressFailure.notResolved(url.authority, "there is none")
        for address in addresses.prefix(Self.attempts) {
            switch await send(request, to: url, at: address, until: deadline) {
            case .success(let response): return response
            case .failure(.cannotConnect(let address, let reason)): failure = .cannotConnect(address, reason)
            case .failure(let failure): throw failure
            }
        }
        throw failure
    }

    private func addresses(of url: EgressURL, until deadline: NIODeadline) async throws(EgressFailure) -> [IPAddress] {
        switch url.host {
        case .address(let address): return [address]
        case .name(let name): return try await resolver.addresses(of: name, until: deadline)
        }
    }

    /// Connects and sends; `cannotConnect` means that nothing was sent.
    private func send(
        _ request: EgressRequest, to url: EgressURL, at address: IPAddress, until deadline: NIODeadline
    ) async -> Result<EgressResponse, EgressFailure> {
        let loop = loops.next()
        let promise = loop.makePromise(of: EgressResponse.self)
        let connected = connect(to: url, at: address, until: deadline, on: loop) { [tls] channel in
            let handlers = channel.pipeline.syncOperations
            if url.isEncrypted {
                try handlers.addHandler(NIOSSLClientHandler(context: tls, serverHostname: url.serverName))
            }
            try handlers.addHTTPClientHandlers(
                leftOverBytesStrategy: .dropBytes, enableOutboundHeaderValidation: true, encoderConfiguration: .init(),
                decoderLimitConfiguration: .egress)
            try handlers.addHandler(Exchange(request, to: url, until: deadline, promise: promise))
        }
        connected.whenFailure { promise.fail(.cannotConnect(address, Self.reason($0))) }
        return await promise.futureResult.result {
            promise.fail(.cancelled)
            connected.whenSuccess { $0.close(promise: nil) }
        }
    }

    private func connect(
        to url: EgressURL, at address: IPAddress, until deadline: NIODeadline, on loop: any EventLoop,
        _ initialize: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<any Channel> {
        do {
            let socket = try SocketAddress(ipAddress: address.description, port: url.port)
            return ClientBootstrap(group: loop)
                .connectTimeout(min(connectTimeout.amount, max(.nanoseconds(1), deadline - .now())))
                .channelOption(.socketOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try initialize(channel) }
                }
                .connect(to: socket)
        } catch {
            return loop.makeFailedFuture(error)
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case ChannelError.connectTimeout: "it does not answer"
        case let error as IOError: error.description
        default: "\(error)"
        }
    }
}

extension NIOHTTPDecoderLimitConfiguration {
    /// Headers of a response come on top of what its body may have.
    fileprivate static let egress: NIOHTTPDecoderLimitConfiguration = {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 16 << 10
        limits.maxHeaderListSize = 64 << 10
        return limits
    }()
}

extension Duration {
    /// Between a nanosecond and an hour.
    fileprivate var amount: TimeAmount {
        let (seconds, attoseconds) = min(max(self, .nanoseconds(1)), .seconds(3600)).components
        return .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
