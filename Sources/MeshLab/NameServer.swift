internal import Foundation
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// A server for names that tests make up: UDP on loopback, addresses of IPv4, and nothing else (RFC 1035).
package final class NameServer: Sendable {
    package let port: Int
    private let channel: any Channel
    private let answers: Answers

    /// - Parameter addresses: by name, such as `api.example.com`. Other names do not exist.
    package init(_ addresses: [String: String]) async throws {
        let answers = Answers(addresses)
        self.answers = answers
        channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Responder(answers))
                }
            }.bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    /// Answers with another address from now on.
    package func set(_ name: String, to address: String) { answers.addresses.withLock { $0[name] = address } }

    package func stop() async { try? await channel.close() }

    fileprivate final class Answers: Sendable {
        let addresses: Mutex<[String: String]>
        init(_ addresses: [String: String]) { self.addresses = Mutex(addresses) }
    }
}

private final class Responder: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>
    private let answers: NameServer.Answers

    init(_ answers: NameServer.Answers) { self.answers = answers }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let query = unwrapInboundIn(data)
        guard let answer = answer(to: query.data) else { return }
        context.writeAndFlush(
            wrapOutboundOut(AddressedEnvelope(remoteAddress: query.remoteAddress, data: answer)), promise: nil)
    }

    /// - Returns: `nil` for what is no question.
    private func answer(to query: ByteBuffer) -> ByteBuffer? {
        var query = query
        guard let id: UInt16 = query.readInteger(), query.readSlice(length: 10) != nil else { return nil }
        let question = query.readableBytesView
        var labels: [String] = []
        while let length: UInt8 = query.readInteger(), length > 0 {
            guard length < 64, let label = query.readString(length: Int(length)) else { return nil }
            labels.append(label.lowercased())
        }
        guard let type: UInt16 = query.readInteger(), query.readSlice(length: 2) != nil else { return nil }
        let address = answers.addresses.withLock { $0[labels.joined(separator: ".")] }
        let bytes = type == 1 ? address?.split(separator: ".").compactMap { UInt8($0) } ?? [] : []
        var answer = ByteBuffer()
        // A response with authority, recursion available; 3: there is no such name.
        let (flags, count): (UInt16, UInt16) = (address == nil ? 0x8583 : 0x8580, bytes.isEmpty ? 0 : 1)
        answer.writeMultipleIntegers(id, flags, UInt16(1), count, UInt16(0), UInt16(0))
        answer.writeBytes(question.prefix(question.count - query.readableBytes))
        if count == 1 {
            // The name of the question, A, IN, for one second, four bytes.
            answer.writeMultipleIntegers(UInt16(0xC00C), UInt16(1), UInt16(1), UInt32(1), UInt16(4))
            answer.writeBytes(bytes)
        }
        return answer
    }
}
