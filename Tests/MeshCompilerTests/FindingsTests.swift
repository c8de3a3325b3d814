import Documents
import GrayRelease
import MeshCompiler
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("What the compiler finds, and what a change is to blame for")
struct FindingsTests {
    private static let service: JSONValue = [
        "spec": [
            "ports": [["name": "http", "port": 80, "protocol": "HTTP"]], "versions": [["name": "v1"], ["name": "v2"]],
        ]
    ]

    private static func rules(_ host: String, _ subset: String, createTime: Int64 = 0) -> JSONValue {
        [
            "spec": [
                "hosts": [.string(host)],
                "http": [["route": [["destination": ["host": .string(host), "subset": .string(subset)]]]]],
            ], "createTime": .integer(createTime),
        ]
    }

    private static func mesh(_ health: String = "healthy") throws -> MeshState {
        try MeshDocument.read([
            "services": ["shop/a": service, "shop/b": service],
            "endpoints": [
                "shop/a": ["e1": ["cluster": "dev", "address": "10.0.0.1", "version": "v1", "health": .string(health)]]
            ],
            "virtualServices": ["shop/a": rules("a", "v1")],
        ])
    }

    @Test("a destination that nobody answers at is a notice, from whatever side it became so")
    func emptyDestinations() throws {
        var state = try Self.mesh()
        var compiler = Compiler(state)
        #expect(compiler.findings.isEmpty)
        let service = try MeshDocument.namespaced("shop/a")
        for health in ["unhealthy", "draining"] {
            state.endpoints = try Self.mesh(health).endpoints
            var change = MeshChange()
            change.endpoints = [service]
            _ = compiler.update(state, change)
            let found = try #require(compiler.findings.first)
            #expect(compiler.findings.count == 1)
            #expect(found.code == .noReadyEndpoints)
            #expect(found.severity == .notice)
            #expect(found.object == .namespaced(.virtualService, service, in: state.mesh))
            #expect(found.pointer.description == "/spec/http/0/route")
            #expect(found.other == .namespaced(.service, service, in: state.mesh))
            #expect(found.detail == "version v1 of service shop/a has no ready endpoint")
        }
        state.endpoints = try Self.mesh().endpoints
        var change = MeshChange()
        change.endpoints = [service]
        _ = compiler.update(state, change)
        #expect(compiler.findings.isEmpty)
    }

    @Test("a dry run says what a change does to the object itself and to others, and nothing of the rest")
    func dryRun() throws {
        let old = try Self.mesh()
        let name = try MeshDocument.namespaced("shop/a")
        // The service loses the version that the rules name.
        var new = old
        let withoutV1: ServiceSpec = try MeshDocument.spec([
            "ports": [["name": "http", "port": 80, "protocol": "HTTP"]], "versions": [["name": "v2"]],
        ])
        new.services[name]?.spec = withoutV1
        var change = MeshChange()
        change.services = [name]
        let caused = DryRun(change, from: old, to: new).caused
        let rules = ObjectKey.namespaced(.virtualService, name, in: old.mesh)
        #expect(caused.contains { $0.object == rules && $0.code == .unknownReference })
        // Already so before: not the change's fault.
        var newer = new
        newer.services[name]?.status.stableVersion = Name("v2")
        #expect(DryRun(change, from: new, to: newer).caused.isEmpty)
        // Destinations of services that the change does not touch are looked up.
        var rerouted = old
        rerouted.virtualServices[name]?.spec = try MeshDocument.spec(
            ["hosts": ["a"], "http": [["route": [["destination": ["host": "b"]]]]]])
        var rewritten = MeshChange()
        rewritten.virtualServices = [name]
        #expect(DryRun(rewritten, from: old, to: rerouted).caused.map(\.code) == [.noReadyEndpoints])
        rerouted.endpoints[try MeshDocument.namespaced("shop/b")] = old.endpoints[name]
        #expect(DryRun(rewritten, from: old, to: rerouted).caused.isEmpty)
    }

    @Test("a dry run knows the subsets of services that rules only send to, and whose rules name a subset that goes")
    func dryRunOfSubsets() throws {
        let (a, b) = (try MeshDocument.namespaced("shop/a"), try MeshDocument.namespaced("shop/b"))
        let labelled: JSONValue = [
            "spec": [
                "ports": [["name": "http", "port": 80, "protocol": "HTTP"]],
                "versions": [["name": "v1", "labels": ["tier": "gold"]], ["name": "v2"]],
            ]
        ]
        let policies: JSONValue = ["spec": ["host": "b", "subsets": [["name": "best", "labels": ["tier": "gold"]]]]]
        let rules: JSONValue = [
            "spec": [
                "hosts": ["a"], "http": [["route": [["destination": ["host": "b", "subset": "best"]]]]],
            ]
        ]
        let with = try MeshDocument.read([
            "services": ["shop/a": Self.service, "shop/b": labelled],
            "endpoints": ["shop/b": ["e1": ["cluster": "dev", "address": "10.0.0.1", "version": "v1"]]],
            "virtualServices": ["shop/a": rules], "destinationRules": ["shop/b": policies],
        ])
        var before = with
        before.virtualServices[a] = nil
        var written = MeshChange()
        written.virtualServices = [a]
        #expect(DryRun(written, from: before, to: with).after.isEmpty)
        var without = with
        without.destinationRules[b]?.spec = try MeshDocument.spec(["host": "b"])
        var removed = MeshChange()
        removed.destinationRules = [b]
        let caused = DryRun(removed, from: with, to: without).caused
        #expect(caused.map(\.code) == [.unknownReference])
        #expect(caused.first?.object == .namespaced(.virtualService, a, in: with.mesh))
    }

    @Test("a dry run finds what compiling everything before and after finds", arguments: UInt64(0)..<40)
    func dryRunsAreRight(_ seed: UInt64) throws {
        var mesh = try RandomMesh(seed: seed)
        var compared = 0
        for _ in 0..<60 {
            let old = mesh.state
            let change = try mesh.step()
            guard !change.everything, change.endpoints.isEmpty, change.releases.isEmpty else { continue }
            let known = Set(Compiler(old).findings)
            let caused = Compiler(mesh.state).findings.filter { !known.contains($0) }
            try #require(Set(DryRun(change, from: old, to: mesh.state).caused).symmetricDifference(caused) == [])
            compared += 1
        }
        #expect(compared > 5)
    }

    @Test("each code is one of warnings too")
    func codes() {
        for code in Diagnostic.Code.allCases {
            #expect(Violation.Code(rawValue: code.rawValue) != nil, "\(code)")
        }
    }

    @Test("the difference of two states is what a compiler has to be told")
    func differences() throws {
        for seed in UInt64(0)..<10 {
            var mesh = try RandomMesh(seed: seed)
            var compiler = Compiler(mesh.state)
            for _ in 0..<20 {
                let old = mesh.state
                _ = try mesh.step()
                _ = compiler.update(mesh.state, old.change(to: mesh.state))
                try #require(CompiledMesh(compiler) == CompiledMesh(Compiler(mesh.state)))
                try #require(compiler.findings == Compiler(mesh.state).findings)
            }
            #expect(mesh.state.change(to: mesh.state.shuffled()).isEmpty)
        }
    }
}
