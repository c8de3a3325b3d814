import Documents
import MeshLab
import TestSupport
import Testing

/// Hosts outside of the mesh as real sidecars reach them. Their resolver is one of ours, which knows few names, and none for those
/// who need none.
@Suite("Service entries", .serialized)
struct ServiceEntryTests {
    private static let mesh = "/v1/tenants/acme/meshes/default"

    /// A mesh with callers in two namespaces, and what is outside of it: workloads at one port of several addresses.
    private struct Lab {
        let api: APIClient
        let names: NameServer
        let port: Int
        let shop: Caller
        let ops: Caller
        let sidecars: [Sidecar]

        func put(_ object: String, _ spec: JSONValue) async throws -> APIClient.Answer {
            try await api.put("\(mesh)/namespaces/\(object)", ["spec": spec])
        }

        func entry(
            _ host: String, at endpoints: [String], resolution: String = "STATIC", exportTo: [JSONValue] = []
        ) -> JSONValue {
            .fields([
                "hosts": [.string(host)], "resolution": .string(resolution), "location": "MESH_EXTERNAL",
                "ports": [["name": "http", "number": 80, "protocol": "HTTP", "targetPort": .integer(Int64(port))]],
                "endpoints": endpoints.isEmpty ? nil : .array(endpoints.map { ["address": .string($0)] }),
                "exportTo": exportTo.isEmpty ? nil : .array(exportTo),
            ])
        }
    }

    private static func expect(_ caller: Caller, to host: String, is version: String?, path: String = "/") async throws
    {
        try await eventually(within: .seconds(30), "\(host) is \(version ?? "nobody's")") {
            let answer = try? await caller.send(Caller.Request(path: path), to: host)
            return answer.map { version == nil ? $0.status == 502 : $0.version == version } ?? false
        }
    }

    private static func withLab(_ variant: String, _ body: (Lab) async throws -> Void) async throws {
        try await TestTools.withServer { server, directory in
            try await server.api.put("/v1/tenants/acme", ["spec": ["displayName": "Acme"]]).expectingSuccess("tenant")
            let cluster: JSONValue = ["spec": ["kind": "universal", "mesh": ["enabled": true]]]
            try await server.api.put("/v1/tenants/acme/clusters/dev", cluster).expectingSuccess("cluster")
            let port = try FreePort.next()
            let names = try await NameServer(["api.example.com": "127.0.0.2"])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...3 {
                    let workload = Workload(version: "outside-\(number)", port: port, address: "127.0.0.\(number)")
                    group.addTask { try await workload.run() }
                }
                defer { group.cancelAll() }
                var sidecars: [Sidecar] = []
                do {
                    for namespace in ["shop", "ops"] {
                        sidecars.append(
                            try await Sidecar(
                                name: "caller-\(namespace)", service: "caller", namespace: namespace, cluster: "dev",
                                mesh: mesh, api: server.api, envoy: TestTools.envoy(), directory: directory,
                                variant: variant, nameServer: names.port))
                    }
                    try await Caller.run(proxy: sidecars[0].httpProxyPort) { shop in
                        try await Caller.run(proxy: sidecars[1].httpProxyPort) { ops in
                            try await body(
                                Lab(api: server.api, names: names, port: port, shop: shop, ops: ops, sidecars: sidecars)
                            )
                        }
                    }
                } catch {
                    for sidecar in sidecars { await sidecar.stop() }
                    throw error
                }
                for sidecar in sidecars { await sidecar.stop() }
            }
            await names.stop()
        }
    }

    @Test(
        "are reached at their addresses without DNS, and at what DNS answers now; each namespace has its own",
        arguments: ["delta", "sotw"])
    func resolutions(_ variant: String) async throws {
        try await Self.withLab(variant) { lab in
            // A name that no server knows.
            let host = "pay.example.com"
            try await Self.expect(lab.shop, to: host, is: nil)
            try await lab.put("shop/serviceEntries/pay", lab.entry(host, at: ["127.0.0.1"])).expectingSuccess("STATIC")
            try await Self.expect(lab.shop, to: host, is: "outside-1")
            try await Self.expect(lab.ops, to: host, is: "outside-1")

            // Another one of the same name that its own namespace alone sees, as that goes before.
            try await lab.put("ops/serviceEntries/pay", lab.entry(host, at: ["127.0.0.3"], exportTo: ["."]))
                .expectingSuccess("the other one")
            try await Self.expect(lab.ops, to: host, is: "outside-3")
            #expect(try await lab.shop.send(.init(), to: host).version == "outside-1")
            try await lab.put("shop/serviceEntries/pay", lab.entry(host, at: ["127.0.0.2"], exportTo: ["."]))
                .expectingSuccess("only for its own")
            try await Self.expect(lab.shop, to: host, is: "outside-2")
            #expect(try await lab.ops.send(.init(), to: host).version == "outside-3")
            try await lab.api.delete("\(Self.mesh)/namespaces/ops/serviceEntries/pay").expectingSuccess("deleted")
            try await Self.expect(lab.ops, to: host, is: nil)
            #expect(try await lab.shop.send(.init(), to: host).version == "outside-2")

            // The host's own name, and then another one.
            let api = "api.example.com"
            try await lab.put("shop/serviceEntries/api", lab.entry(api, at: [], resolution: "DNS")).expectingSuccess(
                "DNS")
            try await Self.expect(lab.shop, to: api, is: "outside-2")
            lab.names.set(api, to: "127.0.0.3")
            try await Self.expect(lab.shop, to: api, is: "outside-3")
            lab.names.set("lb.example.com", to: "127.0.0.1")
            let behind = lab.entry(api, at: ["lb.example.com"], resolution: "DNS_ROUND_ROBIN")
            try await lab.put("shop/serviceEntries/api", behind).expectingSuccess("an endpoint's name")
            try await Self.expect(lab.ops, to: api, is: "outside-1")
        }
    }

    @Test("have ports, weights, localities and a protocol")
    func endpoints() async throws {
        try await Self.withLab("delta") { lab in
            func entry(_ endpoints: [JSONValue], protocol name: String = "HTTP", location: String = "MESH_EXTERNAL")
                -> JSONValue
            {
                [
                    "hosts": ["pay.example.com"], "resolution": "STATIC", "location": .string(location),
                    "ports": [["name": "http", "number": 8080, "protocol": .string(name)]],
                    "endpoints": .array(endpoints),
                ]
            }
            func endpoint(_ number: Int, weight: Int64, locality: String = "") -> JSONValue {
                [
                    "address": .string("127.0.0.\(number)"), "ports": ["http": .integer(Int64(lab.port))],
                    "weight": .integer(weight), "locality": .string(locality),
                ]
            }
            let both = [endpoint(1, weight: 1), endpoint(2, weight: 999)]
            try await lab.put("shop/serviceEntries/pay", entry(both)).expectingSuccess("two of different weight")
            try await Self.expect(lab.shop, to: "pay.example.com:8080", is: "outside-2")
            var versions: [String: Int] = [:]
            for _ in 0..<100 {
                versions[try await lab.shop.send(.init(), to: "pay.example.com:8080").version ?? "", default: 0] += 1
            }
            #expect(versions["outside-2", default: 0] > 90, "\(versions)")

            let far = entry([endpoint(3, weight: 1, locality: "eu/north/a")], location: "MESH_INTERNAL")
            let written = try await lab.put("shop/serviceEntries/pay", far)
            try written.expectingSuccess("in a locality")
            let warnings = (written.body["warnings"]?.arrayValue ?? []).compactMap { $0["pointer"]?.stringValue }
            #expect(warnings == ["/spec/location"])
            try await Self.expect(lab.shop, to: "pay.example.com:8080", is: "outside-3")
            let clusters = try await lab.sidecars[0].admin("/clusters")
            let member = "outbound|8080||shop/pay.example.com::127.0.0.3:\(lab.port)"
            for place in ["region::eu", "zone::north", "sub_zone::a"] {
                #expect(clusters.contains("\(member)::\(place)\n"), "\(place)")
            }

            // The workload speaks HTTP/1.1 only.
            let other = entry([endpoint(3, weight: 1)], protocol: "HTTP2")
            try await lab.put("shop/serviceEntries/pay", other).expectingSuccess("as HTTP/2")
            try await eventually("it is spoken to in HTTP/2") {
                try await lab.shop.send(.init(), to: "pay.example.com:8080").status >= 500
            }
        }
    }

    @Test("are what rules are about, by names that services could have too")
    func rules() async throws {
        try await Self.withLab("delta") { lab in
            let ports: JSONValue = ["ports": [["name": "http", "port": 80]]]
            try await lab.put("com/services/github", ports).expectingSuccess("a service called github in com")
            try await lab.put(
                "com/services/github/endpoints/e1",
                ["cluster": "dev", "address": "127.0.0.3", "ports": ["http": .integer(Int64(lab.port))]]
            ).expectingSuccess("its endpoint")
            try await Self.expect(lab.shop, to: "github.com", is: "outside-3")
            try await lab.put(
                "shop/serviceEntries/github", lab.entry("github.com", at: ["127.0.0.1"], exportTo: ["."])
            ).expectingSuccess("the host")
            try await Self.expect(lab.shop, to: "github.com", is: "outside-1")
            #expect(try await lab.shop.send(.init(), to: "github.com.svc.cluster.local").version == "outside-3")
            #expect(try await lab.ops.send(.init(), to: "github.com").version == "outside-3")

            try await lab.put("shop/serviceEntries/other", lab.entry("mirror.example.com", at: ["127.0.0.2"]))
                .expectingSuccess("where else requests go")
            let destination: (String) -> JSONValue = { [["destination": ["host": .string($0)]]] }
            let rules: JSONValue = [
                "hosts": ["github.com"],
                "http": [
                    ["match": [["uri": ["prefix": "/mirror"]]], "route": destination("mirror.example.com")],
                    ["match": [["uri": ["prefix": "/gone"]]], "directResponse": ["status": 410]],
                    ["route": destination("github.com")],
                ],
            ]
            let written = try await lab.put("shop/virtualServices/github", rules)
            try written.expectingSuccess("rules for it")
            try await Self.expect(lab.shop, to: "github.com", is: "outside-2", path: "/mirror")
            #expect(try await lab.shop.send(.init(path: "/gone"), to: "github.com").status == 410)
            #expect(try await lab.shop.send(.init(), to: "github.com").version == "outside-1")
            // What the rules are about is the namespace's own host, and nobody's service.
            #expect(try await lab.ops.send(.init(path: "/gone"), to: "github.com").version == "outside-3")
        }
    }
}
