import GRPCServer
import HTTP2
import HTTP2Fixtures
import NIOCore
import NIOPosix
import TestSupport
import Testing

@Suite("gRPC server: neighbours of hostile peers", .timeLimit(.minutes(1)))
struct NeighbourTests {
    /// A client that sends bytes and reads what comes until the server closes.
    private func attack(_ bytes: ByteBuffer, _ address: SocketAddress) async throws {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(to: address).get()
        // The server may have closed before it has read everything.
        try? await channel.writeAndFlush(bytes)
        try await channel.closeFuture.get()
    }

    @Test("are served before, while and after the others are disconnected")
    func neighbours() async throws {
        try await withServer(ScriptedService { EchoHandler($0) }) { server, address in
            let neighbour = try await TestClient(address)
            for (index, attack) in (Attack.violations + Attack.floods).enumerated() {
                var bytes = Frame.preface
                bytes.writeImmutableBuffer(Frame.settings)
                for frame in attack.frames { bytes.writeImmutableBuffer(frame) }
                async let end: Void = self.attack(bytes, address)
                let message = [UInt8(index)]
                let events = await neighbour.call(sending: [message], halfClose: true).all()
                #expect(events == [.message(message), .closed(.ok)], "\(attack)")
                try await end
            }
            try await until("only the neighbour is left") { server.connectionCount == 1 }
            neighbour.close()
        }
    }
}
