import Documents
import EnvoyConfig
import EnvoyProtos
import GrayRelease
import MeshCompiler
import MeshFixtures
import MeshModel
import SwiftProtobuf
import Testing

@Suite("Views after changes are what they would be from nothing")
struct IncrementalEncodingTests {
    private static func views() throws -> [LayerID] {
        let x = try MeshDocument.name("x")
        let workloads = try ["p0", "p1"].map { proxy in
            LayerID.Workload(
                namespace: x, service: try MeshDocument.name("a"), proxy: try MeshDocument.name(proxy),
                httpProxyPort: 15_080)
        }
        let caller = LayerID.Workload(
            namespace: x, service: nil, proxy: try MeshDocument.name("p9"), httpProxyPort: 15_081)
        return [.outbound(namespace: x), .outbound(namespace: try MeshDocument.name("z")), .proxyless(namespace: x)]
            + (workloads + [caller]).map(LayerID.workload)
    }

    @Test(arguments: 0..<20)
    func changesAddUp(_ seed: Int) throws {
        var mesh = try RandomMesh(seed: UInt64(seed))
        var compiler = Compiler()
        var encoder = ConfigEncoder()
        _ = encoder.update(compiler.update(mesh.state, .all), of: compiler)
        let views = try Self.views()
        var seen = views.map { Self.byName(encoder.resources(of: $0)) }
        for round in 0..<40 {
            var change = try mesh.step()
            // Several at once, too: what one object gives up another one takes.
            if round.isMultiple(of: 3) { for _ in 0..<3 { change.merge(try mesh.step()) } }
            let encoded = encoder.update(compiler.update(mesh.state, change), of: compiler)
            let full = Compiler(mesh.state)
            var fresh = ConfigEncoder()
            _ = fresh.update(full.everything, of: full)
            for (index, view) in views.enumerated() {
                let isSame = encoder.resources(of: view) == fresh.resources(of: view)
                try #require(isSame, "\(view)")
                Self.apply(encoder.change(encoded, in: view), to: &seen[index])
                let addsUp = seen[index] == Self.byName(fresh.resources(of: view))
                try #require(addsUp, "\(view)")
            }
        }
    }

    /// So many that several threads compile and encode them.
    @Test func manyAtOnceAreManyOneByOne() throws {
        var state = try MeshDocument.read([:])
        state.enabledClusters = [try MeshDocument.name("dev")]
        let service: ServiceSpec = try MeshDocument.spec(["ports": [["name": "http", "port": 80, "protocol": "HTTP"]]])
        var change = MeshChange()
        for number in 0..<300 {
            let name = try MeshDocument.namespaced("x/s\(number)")
            state.services[name] = MeshState.Service(spec: service, status: ServiceStatus())
            state.endpoints[name] = [
                try MeshDocument.name("e"): try MeshDocument.endpoint([
                    "cluster": "dev", "address": .string("10.0.0.\(number % 250)"), "ports": ["http": 8080],
                ])
            ]
            change.services.insert(name)
        }
        var (atOnce, oneByOne) = (Compiler(), Compiler())
        var (encodedAtOnce, encodedOneByOne) = (ConfigEncoder(), ConfigEncoder())
        _ = encodedAtOnce.update(atOnce.update(state, change), of: atOnce)
        for name in change.services {
            var one = MeshChange()
            one.services = [name]
            _ = encodedOneByOne.update(oneByOne.update(state, one), of: oneByOne)
        }
        #expect(atOnce.hosts.count == 300)
        #expect(CompiledMesh(atOnce) == CompiledMesh(oneByOne))
        for view in try Self.views() {
            let isSame = encodedAtOnce.resources(of: view) == encodedOneByOne.resources(of: view)
            #expect(isSame, "\(view)")
        }
    }

    private typealias Held = [ConfigType: [String: [UInt8]]]

    private static func byName(_ set: ConfigSet) -> Held {
        set.mapValues { Dictionary(uniqueKeysWithValues: $0.map { ($0.name, $0.bytes) }) }.filter { !$0.value.isEmpty }
    }

    private static func apply(_ change: ResourceChange, to held: inout Held) {
        // In the order in which served sets are updated.
        for (type, resources) in change.changed {
            for resource in resources { held[type, default: [:]][resource.name] = resource.bytes }
        }
        for (type, names) in change.removed {
            for name in names { held[type]?[name] = nil }
        }
        held = held.filter { !$0.value.isEmpty }
    }

    @Test func oneEndpointChangesNoMoreThanItsClusters() throws {
        let golden = try #require(Golden.meshes.first { $0.name == "seed-typical" })
        var state = try MeshDocument.read(golden.input("mesh.json"))
        var compiler = Compiler()
        var encoder = ConfigEncoder()
        _ = encoder.update(compiler.update(state, .all), of: compiler)
        let reviews = try MeshDocument.namespaced("shop/reviews")
        state.endpoints[reviews]?[try MeshDocument.name("reviews-v2-1")]?.spec.weight = 7
        var change = MeshChange()
        change.endpoints = [reviews]
        let encoded = encoder.update(compiler.update(state, change), of: compiler)
        let seen = encoder.change(encoded, in: .outbound(namespace: try MeshDocument.name("shop")))
        #expect(Array(seen.changed.keys) == [.endpoints])
        #expect(
            seen.changed[.endpoints]?.map(\.name) == [
                "outbound|9080||reviews.shop.svc.cluster.local", "outbound|9080|v2|reviews.shop.svc.cluster.local",
            ])
        #expect(seen.removed.isEmpty)
    }

    /// Envoy refuses a route configuration in which two virtual hosts share a domain.
    @Test(arguments: Golden.meshes)
    func noTwoVirtualHostsShareADomain(_ golden: Golden) throws {
        let compiler = Compiler(try MeshDocument.read(golden.input("mesh.json")))
        var encoder = ConfigEncoder()
        _ = encoder.update(compiler.everything, of: compiler)
        for namespace in ["shop", "ops", "reviews", "other", "com"] {
            let view = LayerID.outbound(namespace: try MeshDocument.name(namespace))
            let routes = try #require(encoder.resources(of: view)[.routes]?.first)
            let message = try Envoy_Config_Route_V3_RouteConfiguration(serializedBytes: routes.bytes)
            let domains = message.virtualHosts.flatMap(\.domains)
            #expect(Set(domains).count == domains.count)
        }
    }
}
