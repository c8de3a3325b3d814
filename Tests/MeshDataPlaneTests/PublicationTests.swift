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

    private static func names(_ snapshot: Snapshot?, _ type: XDSServer.ResourceType) -> [String] {
        (snapshot?[type].resources ?? []).map(\.name)
    }

    @Test("proxies share what does not differ between them, and have what they let in above it")
    func layers() async throws {
        let bench = PublishedBench()
        await bench.publish(try Self.state())
        let caller = try await bench.insert(Self.view("caller", "caller"))
        let other = try await bench.insert(Self.view("other", "other"))
        for type in XDSServer.ResourceType.allCases { #expect(caller[type] === other[type]) }
        #expect(Self.names(caller, .listener) == ["127.0.0.1_15080"])

        let elsewhere = try await bench.insert(Self.view("elsewhere", "other", port: 1))
        #expect(Self.names(elsewhere, .listener) == ["127.0.0.1_1"] && elsewhere[.cluster] === caller[.cluster])

        let reviews = try await bench.insert(Self.view("reviews-v1-1"))
        #expect(reviews[.endpoint] === caller[.endpoint] && reviews[.route] === caller[.route])
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
        let bench = PublishedBench(listenerTTL: ttl)
        await bench.publish(state)
        let first = try await bench.insert(view)
        var next = state
        next.revision += 1
        next.endpoints = Table()
        let later = await bench.publish(next)[view.id]
        for snapshot in [first, later] {
            #expect(snapshot?[.listener].isEmpty == false)
            for type in XDSServer.ResourceType.allCases {
                let expected = ttl != nil && type == .listener ? Self.names(snapshot, type) : []
                #expect(snapshot?[type].lasting.names == expected)
            }
        }
    }

    @Test("views with nothing of their own share a snapshot; those that rest have none made")
    func sharing() async throws {
        let bench = PublishedBench()
        var state = try Self.state()
        await bench.publish(state)
        let views = try ["caller", "other", "third"].map { try Self.view($0, $0) } + [Self.view("reviews-v1-1")]
        for view in views { try await bench.insert(view) }
        #expect(bench.published.rest(views[2]) { _ in false })
        state.revision += 1
        let update = await bench.publish(state)
        #expect(Set(update.keys) == Set([views[0], views[1], views[3]].map(\.id)))
        #expect(update[views[0].id] === update[views[1].id] && update[views[0].id] !== update[views[3].id])

        let awake = try await bench.insert(views[2])
        #expect(awake.revision == state.revision)
        #expect(awake[.cluster] === update[views[0].id]?[.cluster])
        state.revision += 1
        #expect(await bench.publish(state).count == views.count)
    }

    @Test("a change makes anew what it touches, and a layer goes with the last view that lies on it")
    func changes() async throws {
        let bench = PublishedBench()
        var state = try Self.state()
        await bench.publish(state)
        let views = try [Self.view("caller", "caller"), Self.view("reviews-v1-1")]
        var before: [Snapshot] = []
        for view in views { before.append(try await bench.insert(view)) }

        let reviews = try NamespacedName(namespace: MeshDocument.name("shop"), name: MeshDocument.name("reviews"))
        state.endpoints[reviews]?[try MeshDocument.name("reviews-v1-1")] = nil
        state.revision += 1
        var change = MeshChange()
        change.endpoints = [reviews]
        let after = await bench.publish(state, change)
        let (caller, workload) = (try #require(after[views[0].id]), try #require(after[views[1].id]))
        #expect(caller[.listener] === before[0][.listener] && caller[.route] === before[0][.route])
        #expect(caller[.endpoint] !== before[0][.endpoint])
        #expect(Self.names(workload, .listener) == ["127.0.0.1_15080"])
        #expect(workload[.cluster].names == caller[.cluster].names.union(before[1][.cluster].names))
        #expect(workload[.cluster].count == caller[.cluster].count + 3, "those that connections still use stay")

        #expect((views + views).map(bench.remove) == [false, true, true, true])
        let anew = try await bench.insert(views[0])
        #expect(anew[.cluster] !== caller[.cluster] && anew[.cluster].hasSameContent(as: caller[.cluster]))
    }

    @Test("clusters behind a sidecar outlive their endpoint until the sidecar is gone, and of many only the newest do")
    func formerClusters() async throws {
        var state = try Self.state()
        let bench = PublishedBench()
        await bench.publish(state)
        let view = try Self.view("reviews-v1-1")
        let first = try await bench.insert(view)
        let reviews = try MeshDocument.namespaced("shop/reviews")
        let endpoint = try MeshDocument.name("reviews-v1-1")
        func update(_ listenPort: Int?) async throws -> XDSServer.ResourceSet {
            var change = MeshChange()
            change.endpoints = [reviews]
            state.revision += 1
            state.endpoints[reviews, default: [:]][endpoint] = try listenPort.map { port in
                try MeshDocument.endpoint([
                    "cluster": "dev", "address": "127.0.0.1", "ports": ["http": .integer(Int64(port))],
                    "sidecar": ["proxy": "reviews-v1-1", "workloadPorts": ["http": 31_001]],
                ])
            }
            return try #require(await bench.publish(state, change)[view.id])[.cluster]
        }
        func inbound(_ set: XDSServer.ResourceSet) -> Set<String> {
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

        #expect(bench.remove(view))
        #expect(inbound(try await bench.insert(view)[.cluster]) == ["inbound|64"])
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
