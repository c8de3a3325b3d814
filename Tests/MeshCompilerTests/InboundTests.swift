import Documents
import MeshCompiler
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("Who has a sidecar's port")
struct InboundTests {
    private static func service(_ appProtocol: String = "HTTP") -> JSONValue {
        ["spec": ["ports": [["name": "http", "port": 80, "protocol": .string(appProtocol)]]]]
    }

    private static func endpoint(
        _ listen: Int64 = 19_080, workload: Int64 = 18_080, at createTime: Int64, proxy: String = "pod",
        cluster: String = "dev"
    ) -> JSONValue {
        [
            "createTime": .integer(createTime), "cluster": .string(cluster), "address": "10.0.0.1",
            "ports": ["http": .integer(listen)],
            "sidecar": ["proxy": .string(proxy), "workloadPorts": ["http": .integer(workload)]],
        ]
    }

    private static func mesh(
        _ endpoints: [String: JSONValue], _ protocols: [String: String] = [:]
    ) throws -> MeshState {
        try MeshDocument.read([
            "services": .object(
                Dictionary(uniqueKeysWithValues: endpoints.keys.map { ($0, service(protocols[$0] ?? "HTTP")) })),
            "endpoints": .object(endpoints),
        ])
    }

    /// `service/endpoint` by which something is let in, those whose objects are not accepted, and those that are sent requests.
    private static func found(_ compiler: Compiler) -> (inForce: [String], refused: [String], members: [String]) {
        let inForce = compiler.proxies.flatMap { compiler.inbound(of: $0) }
            .sorted { ($0.service, $0.endpoint, $0.listenPort) < ($1.service, $1.endpoint, $1.listenPort) }
            .map { "\($0.service.name)/\($0.endpoint) \($0.listenPort)>\($0.workloadPort)" }
        let members = compiler.hosts.sorted().filter { host in
            compiler.endpoints(of: host).contains { !$0.localities.isEmpty }
        }.compactMap(\.service?.name.text)
        return (inForce, compiler.diagnostics.map { "\($0.object.service?.text ?? "")/\($0.object.name)" }, members)
    }

    @Test("the first one that was created keeps it, whatever their names, and the other is sent nothing")
    func firstComes() throws {
        for (first, second) in [("a", "b"), ("b", "a")] {
            let state = try Self.mesh([
                "shop/\(first)": ["e": Self.endpoint(at: 1)],
                "shop/\(second)": ["e": Self.endpoint(workload: 1, at: 2)],
            ])
            let compiler = Compiler(state)
            let found = Self.found(compiler)
            #expect(found.inForce == ["\(first)/e 19080>18080"])
            #expect(found.refused == ["\(second)/e"])
            #expect(found.members == [first])
            let diagnostic = try #require(compiler.diagnostics.first)
            #expect(diagnostic.code == .duplicateAddress && diagnostic.severity == .notInForce)
            #expect(diagnostic.pointer.description == "/spec/ports/http")
            #expect(
                diagnostic.other
                    == .endpoint(
                        try MeshDocument.name("e"), of: try MeshDocument.namespaced("shop/\(first)"), in: state.mesh))
            #expect(diagnostic.detail.contains("endpoint e of service shop/\(first)"))
        }
    }

    @Test("of those created together it is the first by service and name")
    func together() throws {
        let found = Self.found(
            Compiler(
                try Self.mesh([
                    "shop/b": ["e": Self.endpoint(workload: 1, at: 1)],
                    "shop/a": ["f": Self.endpoint(workload: 2, at: 1), "g": Self.endpoint(workload: 3, at: 1)],
                ])))
        #expect(found.inForce == ["a/f 19080>2"])
        #expect(found.refused == ["a/g", "b/e"])
    }

    @Test(
        "all have it who have the same done with what comes in",
        arguments: [
            ("HTTP", 18_080 as Int64, true), ("GRPC", 18_080, false), ("TCP", 18_080, false), ("HTTP", 1, false),
        ])
    func sharing(_ appProtocol: String, _ workload: Int64, _ isShared: Bool) throws {
        let found = Self.found(
            Compiler(
                try Self.mesh(
                    ["shop/b": ["e": Self.endpoint(at: 1)], "shop/a": ["e": Self.endpoint(workload: workload, at: 2)]],
                    ["shop/a": appProtocol])))
        #expect(found.inForce == ["b/e 19080>18080"])
        #expect(found.refused == (isShared ? [] : ["a/e"]))
        #expect(found.members == (isShared ? ["a", "b"] : ["b"]))
    }

    @Test("other sidecars, ports and namespaces, and endpoints on clusters that are not enabled, are nobody's rivals")
    func strangers() throws {
        for (service, other) in [
            ("shop/a", Self.endpoint(workload: 1, at: 0, proxy: "other")),
            ("shop/a", Self.endpoint(1, workload: 1, at: 0)),
            ("ops/a", Self.endpoint(workload: 1, at: 0)), ("shop/a", Self.endpoint(workload: 1, at: 0, cluster: "off")),
        ] {
            let found = Self.found(
                Compiler(try Self.mesh([service: ["e": other], "shop/b": ["e": Self.endpoint(at: 1)]])))
            #expect(found.refused == [])
            #expect(found.inForce.contains("b/e 19080>18080"))
        }
    }

    @Test("a dry run knows who has a port, and of whom a change takes it")
    func dryRun() throws {
        var state = try Self.mesh([
            "shop/front": ["e": Self.endpoint(at: 1)], "shop/back": ["e": Self.endpoint(1, workload: 1, at: 2)],
            "shop/far": ["e": Self.endpoint(workload: 1, at: 0, proxy: "other")],
        ])
        let (back, front) = (try MeshDocument.namespaced("shop/back"), try MeshDocument.namespaced("shop/front"))
        let name = try MeshDocument.name("e")
        func objects(_ service: NamespacedName, _ old: MeshState, _ new: MeshState) -> [String] {
            var change = MeshChange()
            change.endpoints = [service]
            return DryRun(change, from: old, to: new).caused.map {
                "\($0.object.service?.text ?? "")/\($0.object.name)"
            }
        }
        var moved = state
        moved.endpoints[back]?[name]?.spec.ports = [try MeshDocument.name("http"): 19_080]
        #expect(objects(back, state, moved) == ["back/e"])
        // Who is older takes it.
        state.endpoints[front]?[name]?.createTime.microseconds = 3
        moved.endpoints[front]?[name]?.createTime.microseconds = 3
        #expect(objects(back, state, moved) == ["front/e"])
        #expect(objects(back, moved, moved) == [])
        // A service that speaks something else from now on has no part in it any more.
        let shared = try Self.mesh([
            "shop/front": ["e": Self.endpoint(at: 1)], "shop/back": ["e": Self.endpoint(at: 2)],
        ])
        var changed = shared
        changed.services[back]?.spec.ports[0].appProtocol = .grpc
        var change = MeshChange()
        change.services = [back]
        #expect(DryRun(change, from: shared, to: changed).caused.map(\.object.service?.text) == ["back"])
    }
}
