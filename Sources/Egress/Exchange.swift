internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL
internal import NIOTLS

/// One request and its response on a connection of its own, which it closes.
final class Exchange: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let request: EgressRequest
    private let url: EgressURL
    private let promise: EventLoopPromise<EgressResponse>
    private let deadline: NIODeadline
    private var alarm: Scheduled<Void>?
    private var phase = EgressFailure.Phase.connecting
    private var isDone = false
    private var response = EgressResponse(status: 0, headers: [], body: [])

    init(
        _ request: EgressRequest, to url: EgressURL, until deadline: NIODeadline,
        promise: EventLoopPromise<EgressResponse>
    ) {
        self.request = request
        self.url = url
        self.deadline = deadline
        self.promise = promise
    }

    func handlerAdded(context: ChannelHandlerContext) {
        alarm = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            self.end(.failure(.timedOut(self.phase)), context)
        }
        // An active channel does not say so again.
        if context.channel.isActive { begin(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { alarm?.cancel() }

    func channelActive(context: ChannelHandlerContext) { begin(context) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {  // lint:allow: NIO calls it
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent, phase == .securing {
            if hasName(context) {
                send(context)
            } else {
                end(.failure(.tlsFailed("the certificate is not for that name")), context)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDone else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            phase = .reading
            response.status = Int(head.status.code)
            response.headers = head.headers.map { (name: $0.name, value: $0.value) }
            let length = head.headers.first(name: "content-length").flatMap(Int.init)
            if request.method != "HEAD", !request.cutsResponse, let length, length > request.responseLimit {
                end(.failure(.tooLarge(request.responseLimit)), context)
            }
        case .body(let bytes):
            let room = request.responseLimit - response.body.count
            guard bytes.readableBytes <= room else {
                if request.cutsResponse {
                    response.body.append(contentsOf: bytes.readableBytesView.prefix(room))
                    end(.success(response), context)
                    return
                }
                end(.failure(.tooLarge(request.responseLimit)), context)
                return
            }
            response.body.append(contentsOf: bytes.readableBytesView)
        case .end: end(.success(response), context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let failure: EgressFailure =
            phase == .securing
            ? .tlsFailed("the peer closes the connection")
            : .broken("it was closed before the whole response was there")
        end(.failure(failure), context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let failure: EgressFailure =
            switch error {
            case let failure as EgressFailure: failure
            case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: tlsFailure(error)
            case is HTTPParserError: .broken("what came is no HTTP response: \(error)")
            default: phase == .securing ? tlsFailure(error) : .broken("\(error)")
            }
        end(.failure(failure), context)
    }

    private func tlsFailure(_ error: any Error) -> EgressFailure {
        if case NIOSSLError.uncleanShutdown? = error as? NIOSSLError, phase != .securing {
            return .broken("it was closed before the whole response was there")
        }
        return .tlsFailed(Self.reason(error))
    }

    /// BoringSSL's name of the error, such as `certificate verify failed`, without where in BoringSSL it is.
    private static func reason(_ error: any Error) -> String {
        let text = "\(error)"
        guard let name = text.split(separator: "OPENSSL_internal:").dropFirst().first?.prefix(while: { $0 != " " }),
            !name.isEmpty
        else { return String(text.prefix(200)) }
        return name.lowercased().replacing("_", with: " ")
    }

    /// Whether the peer's certificate names whom the URL names. NIOSSL is also content with the address that was connected
    /// to, which whoever answers for the name server could have a certificate for.
    private func hasName(_ context: ChannelHandlerContext) -> Bool {
        guard let name = url.serverName else { return true }
        guard let certificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate() else { return false }
        let parent = name.firstIndex(of: ".").map { "*" + name[$0...] }
        return certificate._subjectAlternativeNames().contains { entry in
            guard entry.nameType == .dnsName else { return false }
            let pattern = String(decoding: entry.contents, as: UTF8.self).lowercased()
            return pattern == name || pattern == parent
        }
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard phase == .connecting else { return }
        if url.isEncrypted { phase = .securing } else { send(context) }
    }

    private func send(_ context: ChannelHandlerContext) {
        phase = .answering
        var head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: request.method), uri: url.target)
        head.headers.add(name: "Host", value: url.authority)
        head.headers.add(name: "Connection", value: "close")
        for (name, value) in request.headers { head.headers.add(name: name, value: value) }
        if !head.headers.contains(name: "User-Agent") { head.headers.add(name: "User-Agent", value: "sluice") }
        if !request.body.isEmpty || request.method.hasPrefix("P") {
            head.headers.add(name: "Content-Length", value: String(request.body.count))
        }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !request.body.isEmpty {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: request.body)))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    private func end(_ result: Result<EgressResponse, EgressFailure>, _ context: ChannelHandlerContext) {
        guard !isDone else { return }
        isDone = true
        alarm?.cancel()
        promise.completeWith(result.mapError { $0 as any Error })
        context.close(promise: nil)
    }
}
