import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@Suite("What is written while a release is active is told what becomes of it")
struct ReleaseWarningTests {
    private static let rules = "shop/virtualServices/reviews"

    private static func rules(canary: Int64, host: String = "reviews") -> JSONValue {
        let v1: JSONValue = ["host": "reviews", "subset": "v1"]
        let v2: JSONValue = ["host": "reviews", "subset": "v2"]
        return [
            "hosts": [.string(host)],
            "http": [
                [
                    "route": [
                        ["destination": v1, "weight": .integer(100 - canary)],
                        ["destination": v2, "weight": .integer(canary)],
                    ]
                ]
            ],
        ]
    }

    private static let byHand = "/spec/http/0/route/1/weight consequence"
    private static let nothing = " consequence"

    @Test(
        "weights that the release takes over, and rules that leave it nothing to split, whether it has begun or waits")
    func told() async throws {
        let page: JSONValue = ["hosts": ["reviews"], "http": [["directResponse": ["status": 503]]]]
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/services/pages", ControlFixture.service())
            try await fixture.put("shop/services/other", ControlFixture.service())
            try await fixture.put("shop/releases/r", ControlFixture.release())
            func warned(_ place: String, _ spec: JSONValue) async throws -> [String] {
                try await fixture.put(place, spec, validateOnly: true).warned.filter { $0.hasSuffix("consequence") }
            }
            #expect(try await warned(Self.rules, Self.rules(canary: 10)) == [], "it is a draft")
            try await fixture.act(.start)
            for (phase, share) in [(ReleaseStatus.Phase.pending, Int64(0)), (.progressing, 2000)] {
                try await fixture.setProgress(share, phase: phase)
                #expect(try await warned(Self.rules, Self.rules(canary: 10)) == [Self.byHand], "\(phase)")
                #expect(try await warned(Self.rules, Self.rules(canary: 0)) == [], "\(phase)")
                #expect(try await warned(Self.rules, page) == [Self.nothing], "\(phase)")
                // Another service's rules that send to it.
                #expect(
                    try await warned("shop/virtualServices/pages", Self.rules(canary: 10, host: "pages"))
                        == [Self.byHand], "\(phase)")
                #expect(
                    try await warned("shop/virtualServices/other", ControlFixture.rules("other", to: ["host": "other"]))
                        == [], "\(phase)")
            }
            // What somebody else's rules say by hand is not this write's.
            try await fixture.put("shop/virtualServices/pages", Self.rules(canary: 10, host: "pages"))
            #expect(try await warned(Self.rules, Self.rules(canary: 0)) == [])
        }
    }

    @Test("a start that goes by figures names the proxies that report too little for them")
    func countsOnly() async throws {
        try await ControlFixture.runPrepared { fixture in
            let proxies = ["a", "b", "c", "d", "e", "f"].map {
                NamespacedName(namespace: .known("shop"), name: .known($0))
            }
            try await fixture.store.heartbeat("r")
            try await fixture.store.report(
                proxies.map {
                    ProxyRow(
                        mesh: ControlFixture.mesh, name: $0, replica: "r", connected: true,
                        connectedAt: Timestamp(microseconds: 0), ackedRevision: 1, types: [:])
                })
            try await fixture.store.noteReporting(
                stats: [], loads: proxies.map { ReportingProxy(mesh: ControlFixture.mesh, name: $0) })
            let analysis: JSONValue = ["templates": ["builtin/http-golden"]]
            for (isMeasured, changes) in [
                (false, [:]),
                (
                    true,
                    [
                        "strategy": [
                            "type": "canary",
                            "steps": [["setWeight": 2000], ["analysis": analysis], ["setWeight": 10_000]],
                        ]
                    ]
                ),
            ] as [(Bool, [String: JSONValue])] {
                try await fixture.put("shop/releases/r", ControlFixture.release(changes))
                let options = WriteOptions(validateOnly: true, requestId: "r")
                let details = try await fixture.act(.start, [:], options).warnings.map(\.detail)
                let told = details.filter { $0.contains("6 connected proxies") }
                #expect(told.count == (isMeasured ? 1 : 0), "\(details)")
                #expect(told.allSatisfy { $0.hasSuffix("shop/a, shop/b, shop/c, shop/d, shop/e, …") })
            }
        }
    }
}
