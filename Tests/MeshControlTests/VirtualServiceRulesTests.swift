import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshFeed
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@Suite("One VirtualService decides about a host: its owner, or one that the owner lets in")
struct VirtualServiceRulesTests {
    private static func rules(_ host: String, _ changes: JSONValue = [:]) -> JSONValue {
        JSONValue.object([
            "hosts": [.string(host)], "http": [["route": [["destination": ["host": .string(host), "subset": "v1"]]]]],
        ]).merged(with: changes)
    }

    @Test("a second one is refused with the first one's name, however the host is spelled")
    func owners() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/virtualServices/a", Self.rules("reviews"))
            func answer(_ place: String, _ host: String, _ changes: JSONValue = [:]) async throws -> String {
                try await refusal { try await fixture.put(place, Self.rules(host, changes), validateOnly: true) }
            }
            for host in ["reviews", "reviews.shop", "reviews.shop.svc", "reviews.shop.svc.cluster.local"] {
                #expect(try await answer("shop/virtualServices/b", host) == "owned: hostOwned shop/a")
            }
            #expect(try await answer("shop/virtualServices/a", "reviews.shop") == "accepted")
            #expect(try await answer("ops/virtualServices/b", "reviews.shop") == "owned: hostOwned shop/a")
            #expect(
                try await answer("shop/virtualServices/b", "reviews", ["gateways": ["ingress"]]) == "accepted",
                "no sidecar follows it")
        }
    }

    @Test("one of another namespace is let in by the owner, or needs the right to write there")
    func otherNamespaces() async throws {
        try await ControlFixture.runPrepared { fixture in
            let narrow = Caller.of(.developer, namespaces: [.known("ops")])
            let wide = Caller.of(.developer, namespaces: [.known("ops"), .known("shop")])
            func answer(_ name: String, by caller: Caller, _ host: String = "reviews.shop") async throws -> String {
                try await refusal {
                    try await fixture.put("ops/virtualServices/\(name)", Self.rules(host), by: caller)
                }
            }
            let forbidden = "forbidden: virtualServices.write in shop at /spec/hosts/0"
            #expect(try await answer("x", by: narrow) == forbidden)
            #expect(try await answer("x", by: wide) == "owned: hostOwned", "nobody has let it in")
            #expect(
                try await answer("x", by: narrow, "none.shop") == "invalid: /spec/hosts/0 unknownReference, "
                    + "/spec/http/0/route/0/destination/host unknownReference",
                "of what is not there nobody has a right")

            let delegating = Self.rules(
                "reviews", ["delegateHosts": [["host": "reviews.shop", "namespaces": ["ops"]]]])
            try await fixture.put("shop/virtualServices/a", Self.rules("reviews"))
            #expect(try await answer("x", by: wide) == "owned: hostOwned shop/a")
            try await fixture.put("shop/virtualServices/a", delegating)
            #expect(try await answer("x", by: narrow) == "accepted")
            #expect(try await answer("x", by: narrow) == "accepted", "it may be written again")
            #expect(try await answer("y", by: narrow) == "owned: hostOwned ops/x")
            try await fixture.put("shop/virtualServices/a", Self.rules("reviews"))
            #expect(try await answer("x", by: narrow) == forbidden, "no longer let in")
        }
    }

    @Test("a replica that has not heard yet who was let in asks the database")
    func late() async throws {
        try await ControlFixture.runPrepared { fixture in
            let narrow = Caller.of(.developer, namespaces: [.known("ops")])
            let late = fixture.replica()
            try await fixture.put("shop/virtualServices/a", Self.rules("reviews"))
            _ = try await late.control.mirror.state(of: ControlFixture.mesh, atLeast: .max)
            try await fixture.put(
                "shop/virtualServices/a",
                Self.rules("reviews", ["delegateHosts": [["host": "reviews", "namespaces": ["ops"]]]]))
            let entered = try await refusal {
                try await late.put("ops/virtualServices/x", Self.rules("reviews.shop"), by: narrow)
            }
            #expect(entered == "accepted")
            // And the other way round.
            try await fixture.put("shop/virtualServices/a", Self.rules("reviews"))
            let left = try await refusal {
                try await late.put("ops/virtualServices/x", Self.rules("reviews.shop"), by: narrow)
            }
            #expect(left == "forbidden: virtualServices.write in shop at /spec/hosts/0")
            // A service that it has not heard of is there, and somebody else's.
            try await fixture.put("shop/services/new", ControlFixture.service())
            let new = try await refusal {
                try await late.put("ops/virtualServices/y", Self.rules("new.shop"), by: narrow)
            }
            #expect(new == "forbidden: virtualServices.write in shop at /spec/hosts/0")
        }
    }

    @Test("who may not decide about a host keeps nobody waiting, and waits for nobody")
    func strangers() async throws {
        try await ControlFixture.runPrepared { fixture in
            let reviews = try ControlFixture.key("shop/services/reviews")
            try await fixture.store.write(
                tenant: ControlFixture.acme, mesh: .defaultMesh, actor: "test", requestId: "r"
            ) { transaction in
                try await transaction.lock([reviews])
                let refused = try await refusal {
                    try await fixture.put(
                        "ops/virtualServices/x", Self.rules("reviews.shop"),
                        by: .of(.developer, namespaces: [.known("ops")]))
                }
                #expect(refused == "forbidden: virtualServices.write in shop at /spec/hosts/0")
            }
        }
    }

    @Test("a write sees what others wrote since its replica last looked, also after the feed was cut")
    func followed() async throws {
        try await ControlFixture.runPrepared { fixture in
            let late = fixture.replica()
            func answer() async throws -> String {
                try await refusal { try await late.put("shop/virtualServices/b", Self.rules("reviews")) }
            }
            _ = try await late.control.mirror.state(of: ControlFixture.mesh, atLeast: .max)
            try await fixture.put("shop/virtualServices/a", Self.rules("reviews"))
            #expect(try await answer() == "owned: hostOwned shop/a")
            try await fixture.delete("shop/virtualServices/a")
            #expect(try await answer() == "accepted")
            try await fixture.delete("shop/virtualServices/b")

            _ = try await late.control.mirror.state(of: ControlFixture.mesh, atLeast: .max)
            try await fixture.put("shop/virtualServices/c", Self.rules("reviews"))
            try await fixture.put("shop/services/last", ControlFixture.service())
            try await fixture.store.compactChanges(olderThan: .zero)
            #expect(try await answer() == "owned: hostOwned shop/c")
        }
    }

    @Test("early spellings are stored as they are written today, and what cannot be is refused")
    func spellings() async throws {
        try await ControlFixture.runPrepared { fixture in
            let early = try await fixture.put(
                "shop/virtualServices/a", ControlFixture.rules("reviews", to: ["host": "v1"]))
            #expect(early.warned == ["/spec/http/0/route/0/destination/host invalidValue"])
            #expect(
                early.object.spec["http"]?.arrayValue?.first?["route"]?.arrayValue?.first?["destination"]
                    == ["host": "reviews", "subset": "v1"])
            func answer(_ spec: JSONValue) async throws -> String {
                try await refusal { try await fixture.put("shop/virtualServices/a", spec) }
            }
            #expect(
                try await answer(ControlFixture.rules("reviews", to: ["host": "v9"]))
                    == "invalid: /spec/http/0/route/0/destination/host unknownReference")
            #expect(
                try await answer(ControlFixture.rules("reviews", to: ["host": "reviews", "subset": "v9"]))
                    == "invalid: /spec/http/0/route/0/destination/subset unknownReference")
        }
    }

    @Test("a name that a service could have, and somebody else has defined, refers to no service")
    func definedNames() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put(
                "shop/serviceEntries/a",
                [
                    "hosts": ["reviews.ops"], "resolution": "STATIC", "ports": [["name": "http", "number": 80]],
                    "endpoints": [["address": "192.0.2.1"]],
                ])
            try await fixture.put(
                "shop/virtualServices/a", ControlFixture.rules("reviews", to: ["host": "reviews.ops"]))
            let references = try await fixture.control.references(
                of: ControlFixture.key("shop/virtualServices/a"), after: nil, pageSize: 9, by: ControlFixture.admin)
            #expect(references.uses.contains { $0.referrer.pointer.description == "/spec/hosts/0" })
        }
    }

    @Test(
        "who comes while another one takes the host waits for it, and is refused, also on a replica that knows no such host"
    )
    func races() async throws {
        try await ControlFixture.runPrepared { fixture in
            let (known, unheardOf) = (fixture.replica(), fixture.replica())
            _ = try await unheardOf.control.mirror.state(of: ControlFixture.mesh, atLeast: .max)
            try await fixture.put("shop/services/new", ControlFixture.service())
            _ = try await known.control.mirror.state(of: ControlFixture.mesh, atLeast: .max)
            for replica in [known, unheardOf] {
                let late = try await replica.answer(
                    "shop/virtualServices/late", Self.rules("new"), beside: "shop/virtualServices/first",
                    Self.rules("new"),
                    holding: "shop/services/new")
                #expect(late == "owned: hostOwned shop/first")
                try await fixture.delete("shop/virtualServices/first")
            }
        }
    }
}
