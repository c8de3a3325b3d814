import NIOCore
import NIOPosix
import Testing

@testable import sluice

@Suite("Addresses that are listened on")
struct ListenAddressTests {
    @Test("one that is taken is told, with the option that it comes from")
    func taken() async throws {
        let holder = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(holder.localAddress?.port)
        let address = try #require(ListenAddress(text: "127.0.0.1:\(port)"))
        let failure = await #expect(throws: Failure.self) {
            try await address.explaining("the REST API", ServerSettings.http) {
                _ = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                    .bind(host: address.host, port: address.port).get()
            }
        }
        #expect(
            failure?.description == """
                the REST API cannot listen on 127.0.0.1:\(port): address already in use; stop what listens there, or choose \
                another with --http (SLUICE_HTTP)
                """)
        try await holder.close()
    }
}
