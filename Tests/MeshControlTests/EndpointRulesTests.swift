import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@Suite("An endpoint fits its service, and says what it does not get")
struct EndpointRulesTests {
    private static let endpoints = "shop/services/reviews/endpoints"

    private static func sidecar(
        _ proxy: String, listen: Int64, workload: Int64, address: String = "10.0.0.9"
    ) -> JSONValue {
        [
            "cluster": "dev", "address": .string(address), "ports": ["p9080": .integer(listen)], "version": "v1",
            "sidecar": ["proxy": .string(proxy), "workloadPorts": ["p9080": .integer(workload)]],
        ]
    }

    @Test("its version and the names of its ports are the service's")
    func names() async throws {
        try await ControlFixture.runPrepared { fixture in
            func answer(_ spec: JSONValue) async throws -> String {
                try await refusal { try await fixture.put("\(Self.endpoints)/e3", spec, validateOnly: true) }
            }
            let good = Self.sidecar("p", listen: 15_000, workload: 8080)
            for (patch, error) in [
                ([:], nil), (["version": "v3"], "/spec/version"), (["version": nil], nil),
                (["ports": ["grpc": 1]], "/spec/ports/grpc"),
                (["sidecar": ["workloadPorts": ["grpc": 1]]], "/spec/sidecar/workloadPorts/grpc"),
            ] as [(JSONValue, String?)] {
                let expected = error.map { "invalid: \($0) unknownReference" } ?? "accepted"
                let actual = try await answer(good.merged(with: patch))
                #expect(actual == expected, "\(patch)")
            }
        }
    }

    @Test("who comes later to an address, or to a port of a sidecar, is warned; who was there keeps what it has")
    func rivals() async throws {
        try await ControlFixture.runPrepared { fixture in
            let taken = try await fixture.put("\(Self.endpoints)/e3", ControlFixture.endpoint("v1", 18_081))
            #expect(taken.warned == ["/spec/address duplicateAddress"])
            let first = Self.sidecar("p", listen: 15_000, workload: 8080)
            #expect(try await fixture.put("\(Self.endpoints)/s1", first).warned == [])
            let other = Self.sidecar("p", listen: 15_001, workload: 8081)
            let second = try await fixture.put("\(Self.endpoints)/s2", other)
            #expect(second.warned == ["/spec/sidecar/proxy duplicateAddress"])
            // Nothing that it could get is asked for anew.
            #expect(try await fixture.put("\(Self.endpoints)/s2", other.merged(with: ["weight": 7])).warned == [])
            // Each of these is.
            for change in [
                ["address": "10.0.0.10"], ["ports": ["p9080": 15_002]], ["sidecar": ["workloadPorts": ["p9080": 9]]],
            ] as [JSONValue] {
                let written = try await fixture.put("\(Self.endpoints)/s2", other.merged(with: change))
                #expect(written.warned == ["/spec/sidecar/proxy duplicateAddress"], "\(change)")
                try await fixture.put("\(Self.endpoints)/s2", other)
            }
            try await fixture.put("clusters/far", ["kind": "universal", "mesh": ["enabled": true]])
            let moved = try await fixture.put("\(Self.endpoints)/s2", other.merged(with: ["cluster": "far"]))
            #expect(moved.warned == ["/spec/sidecar/proxy duplicateAddress"])
            #expect(
                try await fixture.put("\(Self.endpoints)/s2", Self.sidecar("q", listen: 1, workload: 2)).warned == [])
        }
    }

    @Test("an older one that takes what a younger one has is told of that")
    func takingAway() async throws {
        try await ControlFixture.runPrepared { fixture in
            let old = Self.sidecar("p", listen: 15_000, workload: 8080)
            try await fixture.put("\(Self.endpoints)/old", old)
            try await fixture.put("\(Self.endpoints)/young", Self.sidecar("q", listen: 15_001, workload: 8080))
            let taken = try await fixture.put(
                "\(Self.endpoints)/old", Self.sidecar("q", listen: 15_002, workload: 8081))
            let warning = try #require(taken.warnings.first)
            #expect(taken.warnings.count == 1 && warning.code == .duplicateAddress)
            #expect(warning.object?["name"] == "young")
        }
    }
}
