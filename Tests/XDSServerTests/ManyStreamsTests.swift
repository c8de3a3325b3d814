import TestSupport
import Testing

@testable import XDSServer

@Suite("Several streams on a real server", .timeLimit(.minutes(2)))
struct ManyStreamsTests {
    private let view = ViewID("view")

    @Test("Clients of different views never see each other's resources", arguments: bothVariants)
    func views(_ variant: Variant) async throws {
        try await Fixture.serving { fixture in
            var clients: [XDSClient] = []
            for index in 0..<6 {
                let client = try await XDSClient(variant, to: fixture.address)
                try client.send(.cluster, node: "proxy \(index)", view: "view \(index % 2)")
                await fixture.publish(
                    snapshot(1, [.cluster: ["of \(index % 2)": "1"]]), to: ViewID("view \(index % 2)"))
                clients.append(client)
            }
            for index in clients.indices {
                let message = try await clients[index].next()
                #expect(message.bodies == [Array("of \(index % 2)=1".utf8)])
            }
            // Not sooner: a view whose last stream goes before the next one comes is forgotten, and wanted anew.
            for client in clients { client.disconnect() }
        }
    }

    @Test("When a client comes back before its old stream is gone, the old one's end does not count")
    func replacedStream() async throws {
        try await Fixture.serving { fixture in
            let old = try await XDSClient(.delta, to: fixture.address)
            try old.send(.cluster, node: "proxy")
            await fixture.publish(snapshot(1, [.cluster: ["a": "1"]]), to: view)
            let new = try await XDSClient(.stateOfTheWorld, to: fixture.address)
            try new.send(.cluster, node: "proxy", view: "other")
            await fixture.publish(snapshot(1, [.cluster: ["a": "1"]]), to: ViewID("other"))
            #expect(await fixture.report(of: "proxy") { $0.view == ViewID("other") } != nil)
            old.disconnect()
            try await until("the old one has gone") { !fixture.store.activeViews.contains(view) }
            let report = fixture.report(of: "proxy")
            #expect(report?.isConnected == true && report?.view == ViewID("other"))
            new.disconnect()
            #expect(await fixture.report(of: "proxy") { !$0.isConnected } != nil)
        }
    }
}
