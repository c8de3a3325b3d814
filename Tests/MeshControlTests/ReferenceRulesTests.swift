import Documents
import GrayRelease
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import TestSupport
import MeshCompiler
import Testing

@testable import MeshControl

@Suite("What an object names is there when it is written, and stays as long as it is named")
struct ReferenceRulesTests {
    private static let rules = "shop/virtualServices/reviews"

    @Test("what is missing is told with what there is, as far as the caller may read it")
    func missing() async throws {
        try await ControlFixture.runPrepared { fixture in
            func errors(_ place: String, _ spec: JSONValue, by caller: Caller = ControlFixture.admin) async throws
                -> [String]
            {
                do {
                    try await fixture.put(place, spec, by: caller)
                    return []
                } catch ControlError.invalid(let violations) {
                    return violations.map { "\($0.line) \($0.choices.joined(separator: "|"))" }
                }
            }
            let endpoint = "shop/services/reviews/endpoints/e9"
            let moon = ControlFixture.endpoint("v1", cluster: "moon")
            let told = try await errors(endpoint, moon)
            #expect(told == ["/spec/cluster unknownReference dev"])
            let narrow = Caller.of(.developer, namespaces: [.known("shop")])
            #expect(
                try await errors(endpoint, moon, by: narrow) == ["/spec/cluster unknownReference "],
                "clusters are the tenant's, not the namespace's")
            let joining: JSONValue = ["kind": "universal", "mesh": ["enabled": true, "mesh": "moon"]]
            #expect(try await errors("clusters/far", joining) == ["/spec/mesh/mesh unknownReference default"])
            // What is weak may be missing.
            let waiting: JSONValue = ["kind": "universal", "mesh": ["enabled": false, "mesh": "moon"]]
            #expect(try await errors("clusters/far", waiting) == [])
        }
    }

    @Test("of several that are missing at one place, each is told")
    func severalMissing() async throws {
        try await ControlFixture.runPrepared { fixture in
            let rules: JSONValue = [
                "hosts": ["reviews"],
                "http": [
                    [
                        "route": [
                            ["destination": ["host": "none.shop"], "weight": 40],
                            ["destination": ["host": "nobody.shop"], "weight": 60],
                        ]
                    ]
                ],
            ]
            let refused = try await refusal { try await fixture.put(Self.rules, rules) }
            #expect(
                refused == "invalid: /spec/http/0/route/0/destination/host unknownReference, "
                    + "/spec/http/0/route/1/destination/host unknownReference")
        }
    }

    @Test("who is about to take away what a write names is waited for, but not by a write that is only tried out")
    func holding() async throws {
        try await ControlFixture.runPrepared { fixture in
            let cluster = try ControlFixture.key("clusters/dev")
            let place = "shop/services/reviews/endpoints/e3"
            let isDone = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await fixture.store.write(
                    tenant: ControlFixture.acme, mesh: nil, actor: "test", requestId: "r"
                ) { transaction in
                    _ = try await transaction.fetch(cluster, forUpdate: true)
                    try await fixture.put(place, ControlFixture.endpoint("v1", 3), validateOnly: true)
                    group.addTask {
                        try await fixture.put(place, ControlFixture.endpoint("v1", 3))
                        isDone.increment()
                    }
                    try await fixture.untilSomebodyWaits(or: isDone)
                    #expect(isDone.value == 0)
                }
                try await group.waitForAll()
            }
            #expect(try await fixture.isThere(place))
        }
    }

    @Test("some take the right to write where they lead")
    func rights() async throws {
        try await ControlFixture.runPrepared { fixture in
            let (key, there) = (
                try ControlFixture.key("ops/releases/r"), try ControlFixture.key("shop/services/reviews")
            )
            func check(_ right: Reference.Right, _ target: ObjectKey, namespaces: Set<Name>) async throws -> String {
                let write = PlannedWrite(
                    key: key, old: nil,
                    draft: ObjectDraft(
                        [:], kind: .release, scope: ControlFixture.scope(of: key), name: key.name, log: ViolationLog()),
                    log: ViolationLog(), options: WriteOptions(requestId: "r"),
                    caller: .of(.developer, namespaces: namespaces), control: fixture.control, base: nil,
                    typedSpec: ReleaseSpec(),
                    references: [Reference(to: target, at: ["spec", "x"], .weak, right: right)])
                return try await refusal { try write.checkRights() }
            }
            let ops: Set<Name> = [.known("ops")]
            let forbidden = try await check(.write, there, namespaces: ops)
            #expect(forbidden == "forbidden: releases.write in shop at /spec/x")
            #expect(try await check(.none, there, namespaces: ops) == "accepted")
            #expect(try await check(.write, there, namespaces: []) == "accepted")
            #expect(try await check(.write, key, namespaces: ops) == "accepted", "its own namespace")
            #expect(try await check(.write, ControlFixture.key("clusters/dev"), namespaces: ops) == "accepted")
        }
    }

    @Test("a child needs its parent")
    func children() async throws {
        try await ControlFixture.runPrepared { fixture in
            let orphan = try await refusal {
                try await fixture.put("shop/services/none/endpoints/e1", ControlFixture.endpoint())
            }
            #expect(orphan == "not found: service none")
        }
    }

    @Test("what others name or stand in cannot go: who keeps it is told")
    func deletion() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/services/cart", ControlFixture.service())
            try await fixture.put(
                "shop/virtualServices/cart", ControlFixture.rules("cart", to: ["host": "reviews", "subset": "v1"]))
            try await fixture.put("meshes/blue", [:])
            try await fixture.put("clusters/far", ["kind": "universal", "mesh": ["enabled": true, "mesh": "blue"]])
            func answer(_ place: String) async throws -> String {
                try await refusal { try await fixture.delete(place) }
            }
            #expect(
                try await answer("shop/services/reviews")
                    == "conflict: inUse shop/reviews/e1 shop/reviews/e2 shop/cart")
            #expect(try await answer("shop/services/none") == "not found: service none")
            #expect(
                try await answer("clusters/dev") == "conflict: inUse shop/reviews/e1 shop/reviews/e2")
            #expect(try await answer("meshes/blue") == "conflict: inUse far")
            #expect(try await answer("meshes/default") == "conflict: inUse")
            #expect(try await answer("tenants/acme") == "conflict: inUse dev")
            #expect(try await answer("shop/services/cart") == "accepted", "its own rules do not keep it")
            #expect(try await answer("clusters/far") == "accepted")
            // What stands in it keeps it, though nothing of that names it.
            try await fixture.put("shop/services/apart", ControlFixture.service(), mesh: .known("blue"))
            #expect(try await answer("meshes/blue") == "conflict: inUse shop/apart")
            try await fixture.delete("shop/services/apart", mesh: .known("blue"))
            try await fixture.put("shop/services/plain", ControlFixture.service([]))
            try await fixture.put("shop/services/plain/endpoints/e1", ControlFixture.endpoint(nil, 1))
            #expect(try await answer("shop/services/plain") == "conflict: inUse shop/plain/e1")
            #expect(try await answer("meshes/blue") == "accepted")
            // Each user once, however often it names the object, and five at most.
            for number in 3..<9 {
                try await fixture.put(
                    "shop/services/reviews/endpoints/e\(number)", ControlFixture.endpoint("v1", Int64(number)))
            }
            #expect(
                try await answer("shop/services/reviews")
                    == "conflict: inUse shop/reviews/e1 shop/reviews/e2 shop/reviews/e3 shop/reviews/e4 shop/reviews/e5"
            )
        }
    }

    @Test("a tenant goes with the mesh that every tenant has, and with nothing else in it")
    func tenants() async throws {
        try await ControlFixture.run { fixture in
            try await fixture.put("tenants/acme", [:])
            try await fixture.put("meshes/blue", [:])
            func answer() async throws -> String { try await refusal { try await fixture.delete("tenants/acme") } }
            #expect(try await answer() == "conflict: inUse blue")
            try await fixture.delete("meshes/blue")
            #expect(try await answer() == "accepted")
        }
    }

    @Test("are at most as many as the limit says")
    func many() async throws {
        try await ControlFixture.runPrepared { fixture in
            func rules(_ perRule: Int) -> JSONValue {
                // Each destination may mean a version of each of the hosts.
                let http = (0..<60).map { rule -> JSONValue in
                    let parts = (0..<perRule).map { part -> JSONValue in
                        let weight = part == 0 ? 100 - 2 * (perRule - 1) : 2
                        return [
                            "destination": ["host": .string("v\(rule)-\(part)")], "weight": .integer(Int64(weight)),
                        ]
                    }
                    return ["route": .array(parts)]
                }
                return ["hosts": .array((0..<30).map { .string("h\($0)") }), "http": .array(http)]
            }
            let tooMany = try await refusal { try await fixture.put(Self.rules, rules(20)) }
            #expect(tooMany == "invalid: /spec tooMany")
            let others = try await refusal { try await fixture.put(Self.rules, rules(2)) }
            #expect(!others.contains("/spec tooMany"), "so many may be, though they are not there")
        }
    }

    @Test("are told in both directions, as far as the caller may read")
    func directions() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("ops/services/console", ControlFixture.service())
            try await fixture.put(
                "ops/virtualServices/console", ControlFixture.rules("console", to: ["host": "reviews.shop"]))
            func references(_ place: String, by caller: Caller) async throws -> (uses: [String], usedBy: [String]) {
                let found = try await fixture.control.references(
                    of: ControlFixture.key(place), after: nil, pageSize: 9, by: caller)
                return (
                    found.uses.map { "\($0.referrer.pointer) \($0.exists)" },
                    found.usedBy.items.map { "\($0.object.name) \($0.pointer)" }
                )
            }
            let admin = ControlFixture.admin
            let (shop, ops) = (
                Caller.of(.viewer, namespaces: [.known("shop")]), Caller.of(.viewer, namespaces: [.known("ops")])
            )
            #expect(
                try await references("shop/services/reviews", by: admin).usedBy == [
                    "e1 /spec/version", "e2 /spec/version", "console /spec/http/0/route/0/destination",
                ])
            #expect(
                try await references("shop/services/reviews", by: shop).usedBy == [
                    "e1 /spec/version", "e2 /spec/version",
                ])
            let both = ["/spec/hosts/0 true", "/spec/http/0/route/0/destination true"]
            #expect(try await references("ops/virtualServices/console", by: admin).uses == both)
            #expect(try await references("ops/virtualServices/console", by: ops).uses == ["/spec/hosts/0 true"])
            #expect(
                try await refusal { try await references("shop/services/reviews", by: ops) }
                    == "forbidden: services.read")
        }
    }
}
