import MeshFixtures
import MeshModel
import Testing

@testable import MeshDataPlane
@testable import XDSServer

/// Event loops come while the publisher is at work.
@Suite("What a mesh's proxies are served at the moment")
struct PublishedMeshTests {
    private static func view(_ text: String) throws -> ProxyView {
        try #require(ProxyView(ViewID("acme/default/shop/\(text)")))
    }

    private static func withBench(_ body: (PublishedBench, MeshState) async throws -> Void) async throws {
        let inbound = try #require(Golden.meshes.first { $0.name == "inbound" })
        let state = try MeshDocument.read(inbound.input("mesh.json"))
        let bench = PublishedBench()
        await bench.publish(state)
        try await body(bench, state)
    }

    @Test("while a change is encoded, who was here is served at once, and who was never here by the publisher")
    func newcomers() async throws {
        try await Self.withBench { bench, state in
            let old = try Self.view("reviews/reviews-v1-1/envoy/15080")
            let new = try Self.view("reviews/reviews-v2-1/envoy/15080")
            let proxyless = try ["a/a-1/grpc", "a/a-2/grpc"].map(Self.view)
            #expect(bench.published.snapshot(of: old) == nil, "the first of its kind")
            let first = try await bench.insert(old)
            try await bench.insert(proxyless[0])
            #expect(bench.published.rest(old) { _ in false })

            let loan = try #require(bench.published.borrow())
            #expect(bench.published.borrow() == nil)
            let again = try #require(bench.published.snapshot(of: old))
            for type in ResourceType.allCases { #expect(again[type] === first[type]) }
            #expect(bench.published.snapshot(of: proxyless[1]) != nil, "there is nothing to be made of it alone")
            #expect(bench.published.snapshot(of: new) == nil)
            let content = bench.published.publish(loan.content.publication, [], returning: loan.encoder)
            #expect(Set(content.snapshots.keys) == Set([old, proxyless[0], proxyless[1]].map(\.id)), "it was woken")
            #expect(bench.published.snapshot(of: new)?[.listener].count ?? 0 > 1)
            #expect(await bench.publish(state).count == 4)
        }
    }

    @Test("whoever leaves while a change is published takes along what only it had")
    func leaving() async throws {
        try await Self.withBench { bench, _ in
            let views = try ["a/a-1/envoy/15080", "a/a-1/envoy/15081"].map(Self.view)
            for view in views { try await bench.insert(view) }
            let loan = try #require(bench.published.borrow())
            #expect(!bench.remove(views[0]))
            let content = bench.published.publish(loan.content.publication, [], returning: loan.encoder)
            #expect(views.map { content.publication.has($0.commonLayers) } == [false, true])
            #expect(content.publication.layers.count == 2)
            #expect(bench.published.snapshot(of: views[0]) == nil)
        }
    }

    @Test("a view that a proxy has again is neither put to rest nor forgotten")
    func wanted() async throws {
        try await Self.withBench { bench, state in
            let view = try Self.view("a/a-1/envoy/15080")
            try await bench.insert(view)
            #expect(!bench.published.rest(view) { $0 == view.id })
            #expect(!bench.published.remove(view) { $0 == view.id })
            #expect(await bench.publish(state).count == 1)
            #expect(bench.remove(view))
        }
    }
}
