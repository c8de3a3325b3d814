import Documents
import EnvoyConfig
import Foundation
import MeshCore
import MeshFeed
import MeshFixtures
import MeshModel
import Testing

@testable import MeshDataPlane
@testable import XDSServer

@Suite("What is published of a mesh, in layers")
struct PublicationTests {
    private static func state() throws -> MeshState {
        let inbound = try #require(Golden.meshes.first { $0.name == "inbound" })
        return try MeshDocument.read(inbound.input("mesh.json"))
    }

    private static func view(_ proxy: String, _ service: String = "reviews", port: Int = 15_080) throws -> ProxyView {
        try #require(ProxyView(ViewID("acme/default/shop/\(service)/\(proxy)/envoy/\(port)")))
    }

    private static func names(_ snapshot: Snapshot?, _ type: ResourceType) -> [String] {
        (snapshot?[type].resources ?? []).map(\.name)
    }

    @Test("proxies share what does not differ between them, and have what they let in beside it")
    func layers() async throws {
        let fixture = PublisherFixture()
        await fixture.publish(try Self.state())
        let caller = try await fixture.insert(Self.view("caller", "caller"))
        let other = try await fixture.insert(Self.view("other", "other"))
        #expect(caller === other)
        #expect(Self.names(caller, .listener) == ["127.0.0.1_15080"])

        let elsewhere = try await fixture.insert(Self.view("elsewhere", "other", port: 1))
        #expect(
            Self.names(elsewhere, .listener) == ["127.0.0.1_1"] && elsewhere[.cluster].isIdentical(to: caller[.cluster])
        )

        let reviews = try await fixture.insert(Self.view("reviews-v1-1"))
        #expect(
            reviews[.endpoint].isIdentical(to: caller[.endpoint]) && reviews[.route].isIdentical(to: caller[.route]))
        #expect(Self.names(reviews, .listener).count == 4 && Self.names(reviews, .listener).contains("127.0.0.1_15080"))
        #expect(reviews[.cluster].count == caller[.cluster].count + 3)
        #expect(reviews[.cluster].names.isSuperset(of: caller[.cluster].names))
    }

    @Test(
        "listeners, and nothing else, last only for a while if they are to, also those that are made later",
        arguments: [nil, Duration.seconds(60)])
    func listenerTTL(_ ttl: Duration?) async throws {
        let state = try Self.state()
        let view = try Self.view("reviews-v1-1")
        let fixture = PublisherFixture(listenerTTL: ttl)
        await fixture.publish(state)
        let first = try await fixture.insert(view)
        var next = state
        next.revision += 1
        next.endpoints = Table()
        await fixture.publish(next)
        let later = try fixture.snapshot(of: view)
        for snapshot in [first, later] {
            #expect(!snapshot[.listener].isEmpty)
            for type in ResourceType.allCases {
                let expected = ttl != nil && type == .listener ? Self.names(snapshot, type) : []
                #expect(snapshot[type].expiring.names == expected)
            }
        }
    }

    @Test("views with nothing of their own share a snapshot; all that are wanted get one, also if nobody has them now")
    func sharing() async throws {
        let fixture = PublisherFixture()
        var state = try Self.state()
        await fixture.publish(state)
        let views = try ["caller", "other", "third"].map { try Self.view($0, $0) } + [Self.view("reviews-v1-1")]
        for view in views { try await fixture.insert(view) }
        fixture.store.detach(views[2].id)
        state.revision += 1
        await fixture.publish(state)
        let snapshots = try views.map(fixture.snapshot)
        #expect(snapshots.allSatisfy { $0.revision == state.revision })
        #expect(snapshots[0] === snapshots[1] && snapshots[0] === snapshots[2] && snapshots[0] !== snapshots[3])
    }

    @Test("whoever asks the store last knows which views are wanted, in whatever order it is told")
    func order() async throws {
        let fixture = PublisherFixture()
        let state = try Self.state()
        let view = try Self.view("caller", "caller")
        // Told of the end of a view that is there again, and of the beginning of one that has ended.
        _ = fixture.store.attach(view.id)
        for _ in 0..<2 { await fixture.publisher.attend(to: [view]) }
        await fixture.publish(state)
        #expect(try fixture.snapshot(of: view).revision == state.revision)
        await fixture.remove(view)
        await fixture.publisher.attend(to: [view])
        _ = fixture.store.attach(view.id)
        await fixture.publish(state)
        #expect(fixture.store.snapshot(of: view.id) == nil, "the publisher has yet to be told")
        await fixture.publisher.attend(to: [view])
        #expect(try fixture.snapshot(of: view).revision == state.revision)
    }

    @Test("a change makes anew what it touches, and a layer goes with the last view that lies on it")
    func changes() async throws {
        let fixture = PublisherFixture()
        var state = try Self.state()
        await fixture.publish(state)
        let views = try [Self.view("caller", "caller"), Self.view("reviews-v1-1")]
        var before: [Snapshot] = []
        for view in views { before.append(try await fixture.insert(view)) }

        let reviews = try NamespacedName(namespace: MeshDocument.name("shop"), name: MeshDocument.name("reviews"))
        state.endpoints[reviews]?[try MeshDocument.name("reviews-v1-1")] = nil
        state.revision += 1
        var change = MeshChange()
        change.endpoints = [reviews]
        await fixture.publish(state, change)
        let (caller, workload) = (try fixture.snapshot(of: views[0]), try fixture.snapshot(of: views[1]))
        for type in ResourceType.allCases {
            #expect(caller[type].isIdentical(to: before[0][type]) == (type != .endpoint))
        }
        #expect(Self.names(workload, .listener) == ["127.0.0.1_15080"])
        #expect(workload[.cluster].names == caller[.cluster].names.union(before[1][.cluster].names))
        #expect(workload[.cluster].count == caller[.cluster].count + 3, "those that connections still use stay")

        await fixture.remove(views[1])
        #expect(try await fixture.insert(views[0]) === caller)
        await fixture.remove(views[0])
        await fixture.remove(views[0])
        let anew = try await fixture.insert(views[0])
        #expect(
            !anew[.cluster].isIdentical(to: caller[.cluster]) && anew[.cluster].hasSameContent(as: caller[.cluster]))
    }

    @Test("clusters behind a sidecar outlive their endpoint until the sidecar is gone, and of many only the newest do")
    func formerClusters() async throws {
        var state = try Self.state()
        let fixture = PublisherFixture()
        await fixture.publish(state)
        let view = try Self.view("reviews-v1-1")
        let first = try await fixture.insert(view)
        let reviews = try MeshDocument.namespaced("shop/reviews")
        let endpoint = try MeshDocument.name("reviews-v1-1")
        func update(_ listenPort: Int?) async throws -> LayeredSet {
            var change = MeshChange()
            change.endpoints = [reviews]
            state.revision += 1
            state.endpoints[reviews, default: [:]][endpoint] = try listenPort.map { port in
                try MeshDocument.endpoint([
                    "cluster": "dev", "address": "127.0.0.1", "ports": ["http": .integer(Int64(port))],
                    "sidecar": ["proxy": "reviews-v1-1", "workloadPorts": ["http": 31_001]],
                ])
            }
            await fixture.publish(state, change)
            return try fixture.snapshot(of: view)[.cluster]
        }
        func inbound(_ set: LayeredSet) -> Set<String> {
            let names = set.resources.map(\.name).filter { $0.hasPrefix("inbound|") }
            return Set(names.map { $0.replacing("||127.0.0.1", with: "") })
        }
        let three: Set = ["inbound|21001", "inbound|21002", "inbound|21003"]
        #expect(inbound(first[.cluster]) == three)
        #expect(inbound(try await update(nil)) == three)
        #expect(inbound(try await update(21_001)) == three)
        #expect(inbound(try await update(1)) == three.union(["inbound|1"]))
        for port in 2...61 { _ = try await update(port) }
        let full = inbound(try await update(62))
        #expect(full.count == 65 && full.isSuperset(of: three))
        // What came back and went again is newer than the others.
        #expect(full.subtracting(inbound(try await update(63))) == ["inbound|21003"])
        #expect(full.subtracting(inbound(try await update(64))) == ["inbound|21003", "inbound|21002"])

        await fixture.remove(view)
        #expect(inbound(try await fixture.insert(view)[.cluster]) == ["inbound|64"])
    }

    @Test("a view is in its identifier, and nothing else is")
    func identifiers() throws {
        for text in ["acme/default/shop/reviews/p-1/envoy/15080", "acme/default/shop/reviews/p-1/grpc"] {
            #expect(try #require(ProxyView(ViewID(text))).id == ViewID(text))
        }
        for text in [
            "", "acme/default/shop/reviews/p-1", "acme/default/shop/reviews/p-1/envoy", "acme/default/shop/grpc",
            "acme/default/shop/reviews/p-1/envoy/x", "acme/default/shop/reviews/p-1/grpc/1",
            "acme/default/shop/reviews/P 1/grpc", "acme//shop/reviews/p-1/grpc", "acme/default/shop/reviews/p-1/other",
        ] {
            #expect(ProxyView(ViewID(text)) == nil, "\(text)")
        }
    }
}
