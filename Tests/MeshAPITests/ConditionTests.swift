import Documents
import MeshControl
import MeshCore
import MeshFeed
import MeshModel
import MeshStore
import Postgres
import TestSupport
import Testing

@testable import MeshAPI

@Suite("What is not in force says so", .timeLimit(.minutes(2)))
struct ConditionTests {
    private static let rules = Fixture.shop + "/virtualServices/reviews"
    private static let service = Fixture.shop + "/services/reviews"
    private static let anyVersion = ["If-Match": "*"]

    private static func withVersions(_ versions: [String]) -> JSONValue {
        let versions = versions.map { ["name": .string($0)] as JSONValue }
        return Fixture.reviews.merged(with: ["spec": ["versions": .array(versions)]])
    }

    /// Sends everything to a port of a version that nobody runs.
    private static let atPort: JSONValue = [
        "spec": [
            "hosts": ["reviews"],
            "http": [["route": [["destination": ["host": "reviews", "subset": "v3", "port": ["number": 9080]]]]]],
        ]
    ]

    /// Lets the keeper's time go on until something holds.
    private func eventually(
        _ what: Comment, _ clock: ManualClock, _ condition: () async throws -> Bool
    ) async throws {
        try await until(what) {
            try await clock.advance(by: .milliseconds(250))
            return try await condition()
        }
    }

    private func accepted(_ api: Fixture, _ path: String = Self.rules) async throws -> JSONValue? {
        try await api.get(path).body["status"]?["conditions"]?.arrayValue?.first { $0["type"] == "Accepted" }
    }

    @Test("another object's change is told by the object that it hits, in the answer, in its conditions and to watches")
    func otherObjects() async throws {
        let clock = ManualClock()
        try await WatchFixture.run(keeperClock: clock) { api in
            try await api.writer.prepare()
            let third = Self.withVersions(["v1", "v2", "v3"])
            #expect(try await api.writer.send("PUT", Self.service, third, Self.anyVersion).status == 200)
            let created = try await api.writer.send("PUT", Self.rules, Self.atPort)
            #expect(created.status == 201)
            try await eventually("the destination is known to be empty", clock) {
                try await api.server.get(Self.rules).text.contains("NoReadyEndpoints")
            }
            #expect(try await accepted(api.server)?["status"] == "True")

            try await api.watch(Fixture.shop + "/virtualServices") { events in
                let present = try await events.events(through: "synced")
                #expect(present.first?.data == (try await api.writer.get(Self.rules).body))
                // Not by this server, and not of this object.
                let moved = third.merged(with: ["spec": ["ports": [["name": "http", "port": 9081]]]])
                let broken = try await api.writer.send("PUT", Self.service, moved, Self.anyVersion)
                #expect(broken.status == 200)
                let warning = try #require(broken.body["warnings"]?.arrayValue?.first)
                #expect(warning["code"] == "unknownReference")
                #expect(warning["pointer"] == "/spec/http/0/route/0/destination/port/number")
                #expect(warning["object"] == ["kind": "VirtualService", "namespace": "shop", "name": "reviews"])

                try await eventually("the rules are told to be broken", clock) {
                    try await accepted(api.server)?["status"] == "False"
                }
                let event = try #require(try await events.next())
                #expect(event.summary == "changed reviews")
                #expect(event.id == nil, "it has no revision")
                let condition = try #require(try await accepted(api.server))
                #expect(condition["reason"] == "UnknownReference")
                #expect(condition["pointer"] == "/spec/http/0/route/0/destination/port/number")
                #expect(event.data["status"]?["conditions"]?.arrayValue?.contains(condition) == true)
                #expect(event.data["metadata"] == created.body["metadata"])
            }
            let broken = try await api.writer.get(Self.rules)
            #expect(broken.tag == created.tag, "what is found out is no part of the version")
            #expect(broken.body["metadata"] == created.body["metadata"])
            #expect(try await api.writer.get(Self.rules, ["If-None-Match": created.tag]).status == 200)
            let list = try await api.writer.get(Fixture.shop + "/virtualServices").body["items"]?.arrayValue
            #expect(list?.first == broken.body)

            #expect(try await api.writer.send("PUT", Self.service, third, Self.anyVersion).status == 200)
            try await eventually("the rules are right again", clock) {
                try await accepted(api.server)?["status"] == "True"
            }
        }
    }

    @Test("what cannot be written is tried again, and written when it can be")
    func failure() async throws {
        let clock = ManualClock()
        try await WatchFixture.run(keeperClock: clock) { api in
            try await api.writer.prepare()
            let third = Self.withVersions(["v1", "v2", "v3"])
            #expect(try await api.writer.send("PUT", Self.service, third, Self.anyVersion).status == 200)
            #expect(try await api.writer.send("PUT", Self.rules, Self.atPort).status == 201)
            try await eventually("the destination is known to be empty", clock) {
                try await api.server.get(Self.rules).text.contains("NoReadyEndpoints")
            }
            // A sequence, which outlives what is rolled back.
            try await api.writer.pool.execute(
                script: """
                    CREATE SEQUENCE failure MINVALUE 0;
                    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                        PERFORM nextval('failure'); RAISE EXCEPTION 'no'; END $$;
                    CREATE TRIGGER fail BEFORE INSERT ON object_condition EXECUTE FUNCTION fail();
                    """)
            let moved = third.merged(with: ["spec": ["ports": [["name": "http", "port": 9081]]]])
            #expect(try await api.writer.send("PUT", Self.service, moved, Self.anyVersion).status == 200)
            try await eventually("it was tried again", clock) {
                try await api.writer.pool.query("SELECT last_value FROM failure").first?["last_value"] ?? Int64(0) >= 2
            }
            #expect(try await accepted(api.server)?["status"] == "True")
            try await api.writer.pool.execute(script: "DROP TRIGGER fail ON object_condition")
            try await eventually("the rules are told to be broken", clock) {
                try await accepted(api.server)?["status"] == "False"
            }
        }
    }

    @Test("rows from before there was an owner tell of it by name, and no longer when it is gone")
    func owners() async throws {
        let clock = ManualClock()
        try await WatchFixture.run(keeperClock: clock) { api in
            try await api.writer.prepare()
            #expect(try await api.writer.send("PUT", Self.rules, OwnershipTests.rules("reviews")).status == 201)
            let mesh = MeshKey(tenant: try #require(Name("acme")), mesh: .defaultMesh)
            let shop = try #require(Name("shop"))
            for (kind, name, spec) in [
                (Kind.virtualService, "late", OwnershipTests.rules("reviews.shop", "v2")),
                (Kind.destinationRule, "d1", ["spec": ["host": "reviews"]]),
                (Kind.destinationRule, "d2", ["spec": ["host": "reviews.shop"]]),
            ] {
                let key = ObjectKey.namespaced(
                    kind, NamespacedName(namespace: shop, name: try #require(Name(name))), in: mesh)
                _ = try await api.writer.control.store.write(
                    tenant: mesh.tenant, mesh: mesh.mesh, actor: "test", requestId: "1"
                ) { try await $0.put(key, metadata: .init(), spec: spec["spec"] ?? [:]) }
            }
            for (path, owner) in [
                ("virtualServices/late", ("VirtualService", "reviews")),
                ("destinationRules/d2", ("DestinationRule", "d1")),
            ] {
                try await eventually("\(path) tells whose the host is", clock) {
                    try await accepted(api.server, "\(Fixture.shop)/\(path)")?["reason"] == "Conflict"
                }
                let condition = try await accepted(api.server, "\(Fixture.shop)/\(path)")
                #expect(condition?["status"] == "False")
                #expect(
                    condition?["object"]
                        == ["kind": .string(owner.0), "namespace": "shop", "name": .string(owner.1)])
            }
            #expect(try await accepted(api.server)?["status"] == "True")
            #expect(try await api.writer.send("DELETE", Self.rules, headers: Self.anyVersion).status == 204)
            try await eventually("the next one holds", clock) {
                try await accepted(api.server, Fixture.shop + "/virtualServices/late")?["status"] == "True"
            }
        }
    }

    @Test("a mesh that changed while nobody looked after it is looked at when somebody does")
    func unattended() async throws {
        try await WatchFixture.run { api in
            try await api.writer.prepare()
            let rules = OwnershipTests.rules("reviews")
            #expect(
                try await api.writer.send("PUT", Self.rules, Self.unreachable(rules)).status == 201)
            // A replica that starts later, and hears of no change.
            let clock = ManualClock()
            let keeper = ConditionKeeper(
                store: api.server.control.store, mirror: api.server.control.mirror, replica: "r2", clock: clock,
                logger: quietLogger)
            let (silence, _) = AsyncStream.makeStream(of: ChangeSignals.Signal.self)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await keeper.run(signals: silence) }
                defer { group.cancelAll() }
                try await eventually("the rule is told to be unreachable", clock) {
                    try await accepted(api.server)?["reason"] == "Unreachable"
                }
            }
        }
    }

    private static func unreachable(_ rules: JSONValue) -> JSONValue {
        let route: JSONValue = [["destination": ["host": "reviews", "subset": "v2"]]]
        let first = rules["spec"]?["http"]?.arrayValue ?? []
        return rules.merged(
            with: ["spec": ["http": .array(first + [["match": [["uri": ["prefix": "/x"]]], "route": route]])]])
    }

    @Test("the write that causes it carries it in its warnings and in its own conditions")
    func warnings() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let document = Self.unreachable(OwnershipTests.rules("reviews"))
            for path in [Self.rules + "?validateOnly=true", Self.rules] {
                let answer = try await api.send("PUT", path, document)
                #expect((200...201).contains(answer.status))
                let warnings = answer.body["warnings"]?.arrayValue ?? []
                #expect(warnings.map { $0["code"] } == ["unreachable"])
                #expect(warnings.map { $0["pointer"] } == ["/spec/http/1"])
                let condition = answer.body["status"]?["conditions"]?.arrayValue?.first
                #expect(condition?["status"] == "False")
                #expect(condition?["reason"] == "Unreachable")
                #expect(condition?["pointer"] == "/spec/http/1")
                #expect(answer.body["status"]?["phase"] == "NotInForce")
            }
            // Nobody has to look first: it is never said to be right.
            #expect(try await accepted(api)?["reason"] == "Unreachable")
            // Said once more with each write of it, and not of a write that has nothing to do with it.
            let again = try await api.send("PUT", Self.rules, document, Self.anyVersion)
            #expect(again.body["warnings"]?.arrayValue?.count == 1)
            let other = try await api.send("PUT", Self.service, Self.withVersions(["v1", "v2", "v3"]), Self.anyVersion)
            #expect(other.status == 200)
            #expect(other.body["warnings"] == nil)
            #expect(
                try await api.send("PUT", Self.rules, OwnershipTests.rules("reviews"), Self.anyVersion).status == 200)
            #expect(try await accepted(api)?["status"] == "True")
        }
    }

    @Test(
        "a rule is in force if requests to one port get to it; each that none gets to is told of once, with its ports")
    func unreachedPorts() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let service: JSONValue = [
                "spec": [
                    "ports": [["name": "http", "port": 9080], ["name": "admin", "port": 9081]],
                    "versions": [["name": "v1"], ["name": "v2"]],
                ]
            ]
            #expect(try await api.send("PUT", Self.service, service, Self.anyVersion).status == 200)
            let admin: JSONValue = ["match": [["port": 9081]], "directResponse": ["status": 403]]
            let main: JSONValue = ["route": [["destination": ["host": "reviews", "subset": "v2"]]]]
            func warnings(_ rules: [JSONValue]) async throws -> [String] {
                let spec: JSONValue = ["spec": ["hosts": ["reviews"], "http": .array(rules)]]
                let answer = try await api.send("PUT", Self.rules, spec, Self.anyVersion)
                #expect(answer.status == 200, "\(answer.text)")
                return (answer.body["warnings"]?.arrayValue ?? []).map {
                    "\($0["pointer"]?.stringValue ?? "") \($0["detail"]?.stringValue ?? "")"
                }
            }
            #expect(try await api.send("PUT", Self.rules, OwnershipTests.rules("reviews")).status == 201)
            #expect(try await warnings([admin, main]) == [])
            #expect(try await accepted(api)?["status"] == "True")
            #expect(
                try await warnings([main, admin, main]) == [
                    "/spec/http/1 no request gets here: rules before this one take every request to port 9081",
                    "/spec/http/2 no request gets here: rules before this one take every request to ports 9080, 9081",
                ])
        }
    }

    @Test("rules for gateways, which nobody is, say so")
    func gateways() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("PUT", Self.rules, OwnershipTests.rules("reviews")).status == 201)
            for (gateways, reason, pointer) in [
                (["mesh"], "Valid", nil), (["ingress"], "Unsupported", "/spec/gateways/0"),
                (["mesh", "ingress"], "Valid", nil),
            ] as [([JSONValue], JSONValue, JSONValue?)] {
                let rules = OwnershipTests.rules("reviews").merged(with: ["spec": ["gateways": .array(gateways)]])
                let written = try await api.send("PUT", Self.rules, rules, Self.anyVersion)
                #expect(written.status == 200, "\(written.text)")
                let condition = try await accepted(api)
                #expect(condition?["reason"] == reason)
                #expect(condition?["pointer"] == pointer)
                let warned = (written.body["warnings"]?.arrayValue ?? []).map { $0["code"] }
                #expect(warned == (gateways.contains("ingress") ? ["unsupported"] : []))
            }
            let conditions = try await api.get(Self.rules).body["status"]?["conditions"]?.arrayValue ?? []
            #expect(conditions.contains { $0["type"] == "Unsupported" && $0["status"] == "True" })
        }
    }

    @Test("a destination that nobody answers at, and an address that another endpoint has, are warned of")
    func endpoints() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let versions = Self.withVersions(["v1", "v2", "v3"])
            #expect(try await api.send("PUT", Self.service, versions, Self.anyVersion).status == 200)
            let empty = try await api.send("PUT", Self.rules, OwnershipTests.rules("reviews", "v3"))
            #expect(empty.status == 201)
            #expect(empty.body["warnings"]?.arrayValue?.map { $0["code"] } == ["noReadyEndpoints"])
            let conditions = empty.body["status"]?["conditions"]?.arrayValue ?? []
            #expect(conditions.map { $0["type"] } == ["Accepted", "NoReadyEndpoints"])
            #expect(conditions.map { $0["status"] } == ["True", "True"], "it is a notice: the rule is in force")

            let twin = try await api.send(
                "PUT", Self.service + "/endpoints/e3", Fixture.endpoint("v3", 18_081))
            #expect(twin.status == 201)
            let warning = try #require(twin.body["warnings"]?.arrayValue?.first)
            #expect(warning["code"] == "duplicateAddress")
            #expect(warning["pointer"] == "/spec/address")
            #expect(warning["detail"]?.stringValue?.contains("e1") == true)
        }
    }

    @Test("who wants a sidecar's port that another endpoint has is warned, and so is who takes one")
    func sidecarPorts() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let service: JSONValue = ["spec": ["ports": [["name": "http", "port": 80]]]]
            func put(_ endpoint: String, _ listen: Int64, _ workload: Int64, _ proxy: String = "wl-2") async throws
                -> Fixture.Answer
            {
                let parts = endpoint.split(separator: "/")
                let path = Fixture.shop + "/services/\(parts[0])"
                if try await api.get(path).status == 404 {
                    #expect(try await api.send("PUT", path, service).status == 201)
                }
                let spec: JSONValue = [
                    "cluster": "dev", "address": "127.0.0.1", "ports": ["http": .integer(listen)],
                    "sidecar": ["proxy": .string(proxy), "workloadPorts": ["http": .integer(workload)]],
                ]
                let isThere = try await api.get(path + "/endpoints/\(parts[1])").status == 200
                let answer = try await api.send(
                    "PUT", path + "/endpoints/\(parts[1])", ["spec": spec], isThere ? Self.anyVersion : [:])
                #expect(answer.status == (isThere ? 200 : 201), "\(answer.text)")
                return answer
            }
            func warnings(_ answer: Fixture.Answer) -> [JSONValue] { answer.body["warnings"]?.arrayValue ?? [] }
            func refused() async throws -> [JSONValue?] {
                let items = try await api.send("POST", Fixture.mesh + ":analyze").body["items"]?.arrayValue ?? []
                return items.map { $0["object"]?["service"] }
            }
            #expect(warnings(try await put("front/e2", 19_082, 18_082)) == [])
            #expect(warnings(try await put("other/e1", 19_082, 1, "wl-3")) == [])
            #expect(warnings(try await put("same/e1", 19_082, 18_082)) == [])
            // Its name comes before the other's.
            let newcomer = warnings(try await put("back/a", 19_082, 18_083))
            #expect(newcomer.map { $0["code"] } == ["duplicateAddress"])
            #expect(newcomer.first?["pointer"] == "/spec/ports/http")
            #expect(newcomer.first?["object"] == nil)
            let detail = newcomer.first?["detail"]?.stringValue ?? ""
            #expect(
                detail.contains("endpoint e2 of service shop/front") && detail.contains("not in force"), "\(detail)")
            #expect(try await refused() == ["back"])
            // Out of the way, and in the way of another that came later.
            #expect(warnings(try await put("back/a", 19_083, 18_083)) == [])
            #expect(try await refused() == [])
            let taker = warnings(try await put("front/e2", 19_083, 18_082))
            #expect(taker.map { $0["code"] } == ["duplicateAddress"])
            #expect(taker.first?["object"]?["name"] == "a", "\(taker)")
            #expect(try await refused() == ["back"])
        }
    }

    @Test("an owner that shuts out whom it let in is told what that does")
    func shuttingOut() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let open = OwnershipTests.rules(
                "reviews", "v1", ["delegateHosts": [["host": "reviews", "namespaces": ["ops"]]]])
            #expect(try await api.send("PUT", Self.rules, open).status == 201)
            let guest = Fixture.mesh + "/namespaces/ops/virtualServices/guest"
            let taken = try await api.send("PUT", guest, OwnershipTests.rules("reviews.shop"))
            #expect(taken.status == 201)
            #expect(taken.body["warnings"]?.arrayValue?.map { $0["code"] } == ["delegated"])
            let shut = try await api.send("PUT", Self.rules, OwnershipTests.rules("reviews"), Self.anyVersion)
            #expect(shut.status == 200)
            let warning = try #require(shut.body["warnings"]?.arrayValue?.first)
            #expect(warning["code"] == "conflict")
            #expect(warning["object"] == ["kind": "VirtualService", "namespace": "ops", "name": "guest"])
        }
    }
}

@Suite("Analysis of a mesh")
struct AnalysisTests {
    private static let analyze = Fixture.mesh + ":analyze"

    @Test("lists what is wrong now, whoever caused it, what is not in force first")
    func findings() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let clean = try await api.send("POST", Self.analyze)
            #expect(clean.status == 200)
            #expect(clean.body["items"] == [])
            let versions = Fixture.reviews.merged(with: ["spec": ["ports": [["name": "http", "port": 9081]]]])
            let rules: JSONValue = [
                "spec": [
                    "hosts": ["reviews"],
                    "http": [
                        ["route": [["destination": ["host": "reviews", "subset": "v2", "port": ["number": 9080]]]]]
                    ],
                ]
            ]
            #expect(try await api.send("PUT", Fixture.shop + "/virtualServices/a", rules).status == 201)
            let any = ["If-Match": "*"]
            #expect(
                try await api.send("DELETE", Fixture.shop + "/services/reviews/endpoints/e2", headers: any).status
                    == 204)
            let empty = try await api.send("POST", Self.analyze)
            #expect(empty.body["items"]?.arrayValue?.map { $0["reason"] } == ["NoReadyEndpoints"])
            #expect(empty.body["items"]?.arrayValue?.first?["severity"] == "notice")
            #expect(
                try await api.send("PUT", Fixture.shop + "/services/reviews", versions, any).status == 200)
            let broken = try await api.send("POST", Self.analyze, [:])
            let finding = try #require(broken.body["items"]?.arrayValue?.first)
            #expect(finding["object"] == ["kind": "VirtualService", "namespace": "shop", "name": "a"])
            #expect(finding["severity"] == "notInForce")
            #expect(finding["reason"] == "UnknownReference")
            #expect(finding["pointer"] == "/spec/http/0/route/0/destination/port/number")
        }
    }

    @Test("is for those who may read all that they ask about")
    func access() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let created = try await api.send(
                "POST", "/v1/tenants/acme/apiKeys", ["role": "viewer", "namespaces": ["shop"]])
            let token = try #require(created.body["token"]?.stringValue)
            #expect(try await api.send("POST", Self.analyze, [:], token: token).status == 403)
            #expect(try await api.send("POST", Self.analyze + "?namespace=bank", [:], token: token).status == 403)
            #expect(try await api.send("POST", Self.analyze + "?namespace=shop", [:], token: token).status == 200)
            #expect(try await api.send("POST", Self.analyze, ["x": 1]).errors == ["/x unknownField"])
            #expect(try await api.send("POST", "/v1/tenants/acme/meshes/no:analyze", [:]).status == 404)
        }
    }
}
