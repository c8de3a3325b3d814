import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@Suite("A write does what its caller meant, once and whole, or nothing")
struct WritingTests {
    private static let place = "shop/services/reviews"
    private static let document: JSONValue = ["spec": ControlFixture.service()]

    @Test("what is there must be what the caller has seen")
    func preconditions() async throws {
        try await ControlFixture.runPrepared { fixture in
            let seen = ObjectVersion(try await fixture.fetch(Self.place))
            let other = ObjectVersion(try await fixture.fetch("shop/services/reviews/endpoints/e1"))
            let rows: [(place: String, precondition: Precondition, answer: String)] = [
                (Self.place, .none, "precondition required"),
                (Self.place, .absent, "stale"),
                (Self.place, .present, "accepted"),
                (Self.place, .oneOf([other]), "stale"),
                (Self.place, .oneOf([other, seen]), "accepted"),
                ("shop/services/none", .present, "stale: nothing is there"),
                ("shop/services/none", .oneOf([seen]), "stale: nothing is there"),
                ("shop/services/none", .none, "accepted"),
                ("shop/services/nobody", .absent, "accepted"),
            ]
            for row in rows {
                let options = WriteOptions(precondition: row.precondition, requestId: "r")
                let answer = try await refusal {
                    try await fixture.change(ControlFixture.key(row.place), .replace(Self.document), options)
                }
                #expect(answer == row.answer, "\(row.place) \(row.precondition)")
            }
        }
    }

    @Test("creating needs nothing there, patching something")
    func creatingAndPatching() async throws {
        try await ControlFixture.runPrepared { fixture in
            func answer(_ name: String, _ change: ObjectChange) async throws -> String {
                let options = WriteOptions(precondition: .present, requestId: "r")
                return try await refusal {
                    try await fixture.change(ControlFixture.key("shop/services/\(name)"), change, options)
                }
            }
            func named(_ name: String) -> ObjectChange {
                .create(["metadata": ["name": .string(name)], "spec": ControlFixture.service()])
            }
            #expect(try await answer("reviews", named("reviews")) == "conflict: alreadyExists")
            #expect(try await answer("other", named("other")) == "accepted")
            #expect(try await answer("nobody", .create(Self.document)) == "invalid: /metadata/name required")
            #expect(try await answer("none", .patch(["spec": [:]])) == "not found: service none")
            #expect(try await answer("other", .patch(["metadata": ["labels": ["tier": "back"]]])) == "accepted")
            let patched = try await fixture.fetch("shop/services/other")
            #expect(patched.metadata.labels == ["tier": "back"])
            #expect(patched.generation == 1, "its spec is the same")
            #expect(try await answer("other", .patch(["metadata": ["labels": ["tier": nil]]])) == "accepted")
            #expect(try await fixture.fetch("shop/services/other").metadata.labels == [:])
        }
    }

    @Test("that is only tried out answers the same, and leaves nothing behind")
    func validation() async throws {
        try await ControlFixture.runPrepared { fixture in
            let tried = try await fixture.put("shop/services/other", ControlFixture.service(), validateOnly: true)
            #expect(tried.created && tried.object.generation == 1)
            #expect(try await !fixture.isThere("shop/services/other"))
            let refused = try await refusal {
                try await fixture.put(
                    "shop/services/reviews/endpoints/e3", ControlFixture.endpoint("v3"), validateOnly: true)
            }
            #expect(refused == "invalid: /spec/version unknownReference")
            // What it refers to is looked up all the same.
            let endpoint = try await fixture.put(
                "shop/services/reviews/endpoints/e3", ControlFixture.endpoint("v1", 1), validateOnly: true)
            #expect(endpoint.created)
            try await fixture.delete("shop/services/reviews/endpoints/e1", validateOnly: true)
            #expect(try await fixture.isThere("shop/services/reviews/endpoints/e1"))
        }
    }

    @Test("with a key of its own is done once, however often it is sent")
    func idempotency() async throws {
        try await ControlFixture.runPrepared { fixture in
            func send(_ hash: UInt8, validateOnly: Bool = false) async throws -> Outcome<WrittenObject> {
                let options = WriteOptions(
                    precondition: .absent, validateOnly: validateOnly,
                    idempotency: IdempotentCall(key: "k", requestHash: [hash]), requestId: "r")
                return try await fixture.change(
                    ControlFixture.key("shop/services/other"), .replace(Self.document), options
                ) { StoredAnswer(status: 201, headers: [:], body: Array("\($0.object.key.name)".utf8)) }
            }
            // To try out is no call that could be replayed.
            for _ in 0..<2 { #expect(try await send(1, validateOnly: true).value().created) }
            #expect(try await send(1).value().created)
            guard case .replayed(let answer) = try await send(1) else {
                Issue.record("it was done twice")
                return
            }
            #expect(answer == StoredAnswer(status: 201, headers: [:], body: Array("other".utf8)))
            #expect(try await refusal { try await send(2) } == "idempotency mismatch")
            #expect(try await fixture.fetch("shop/services/other").generation == 1)
        }
    }

    @Test("unknown fields are refused, or warned of by who wants that")
    func unknownFields() async throws {
        try await ControlFixture.runPrepared { fixture in
            func answer(_ allows: Bool) async throws -> (String, [String]) {
                let options = WriteOptions(precondition: .present, allowsUnknownFields: allows, requestId: "r")
                var warned: [String] = []
                let refused = try await refusal {
                    warned = try await fixture.change(
                        ControlFixture.key("tenants/acme"), .replace(["spec": ["color": "red"]]), options
                    ).value().warned
                }
                return (refused, warned)
            }
            let (strict, lax) = (try await answer(false), try await answer(true))
            #expect(strict == ("invalid: /spec/color unknownField", []))
            #expect(lax == ("accepted", ["/spec/color unknownField"]))
        }
    }

    @Test("of the same again is no new generation, also where an earlier server wrote less down")
    func sameAgain() async throws {
        try await ControlFixture.runPrepared { fixture in
            let short: JSONValue = ["ports": [["name": "http", "port": 80]]]
            let long: JSONValue = ["ports": [["name": "http", "port": 80, "protocol": "HTTP"]]]
            try await fixture.store("shop/services/old", short)
            let same = try await fixture.put("shop/services/old", long)
            #expect(same.object.generation == 1 && same.object.spec == short)
            let other = try await fixture.put(
                "shop/services/old", ["ports": [["name": "http", "port": 81, "protocol": "HTTP"]]])
            #expect(other.object.generation == 2)
            #expect(other.object.spec["ports"]?.arrayValue?.first?["port"] == 81)
        }
    }

    @Test("is refused with everything that is wrong at once")
    func everything() async throws {
        try await ControlFixture.runPrepared { fixture in
            let spec: JSONValue = [
                "cluster": "moon", "address": "10.0.0.1", "version": "v9", "ports": ["grpc": 1],
                "sidecar": ["proxy": "p", "workloadPorts": ["admin": 2]],
            ]
            let refused = try await refusal { try await fixture.put("shop/services/reviews/endpoints/e9", spec) }
            #expect(
                refused == "invalid: /spec/version unknownReference, /spec/ports/grpc unknownReference, "
                    + "/spec/sidecar/workloadPorts/admin unknownReference, /spec/cluster unknownReference")
        }
    }
}
