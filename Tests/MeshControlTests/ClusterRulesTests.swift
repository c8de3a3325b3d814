import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@Suite("A cluster is part of a mesh from when that is enabled until it is disabled")
struct ClusterRulesTests {
    private static let enabled: JSONValue = ["kind": "universal", "mesh": ["enabled": true]]
    private static let disabled: JSONValue = ["kind": "universal", "mesh": ["enabled": false]]

    private static func change(
        _ fixture: ControlFixture, enable: Bool, _ body: JSONValue = [:],
        _ options: WriteOptions = WriteOptions(requestId: "r"), by caller: Caller = ControlFixture.admin
    ) async throws -> WrittenObject {
        try await fixture.control.changeMesh(
            of: ControlFixture.key("clusters/far"), enable: enable, body, options, by: caller
        ) { _ in StoredAnswer(status: 200, headers: [:], body: []) }.value()
    }

    private static func mesh(_ fixture: ControlFixture) async throws -> JSONValue? {
        try await fixture.fetch("clusters/far").spec["mesh"]
    }

    @Test("enabling at creation takes the right to enable, and has an operation")
    func creation() async throws {
        try await ControlFixture.runPrepared { fixture in
            for (name, spec, hasOperation) in [
                ("a", Self.enabled, true), ("b", Self.disabled, false), ("c", ["kind": "universal"], false),
            ] as [(String, JSONValue, Bool)] {
                let written = try await fixture.put("clusters/\(name)", spec)
                #expect((written.operation != nil) == hasOperation, "\(name)")
                #expect(written.operation?.done ?? true)
            }
            let made = try await fixture.put("clusters/d", Self.enabled)
            #expect(made.operation?.response?["phase"] == "Enabled")
        }
    }

    @Test("a write of the cluster changes nothing about that, and may leave it out")
    func writes() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("clusters/far", Self.enabled)
            let rows: [(spec: JSONValue, answer: String)] = [
                (Self.enabled, "accepted"), (["kind": "universal"], "accepted"),
                (Self.disabled, "invalid: /spec/mesh immutable"),
            ]
            for row in rows {
                #expect(try await refusal { try await fixture.put("clusters/far", row.spec) } == row.answer)
                #expect(try await Self.mesh(fixture)?["enabled"] == true)
            }
        }
    }

    @Test("disabling keeps what was said about the mesh, and enabling again needs to say nothing")
    func methods() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("meshes/blue", [:])
            try await fixture.put("clusters/far", ["kind": "universal"])
            let first = try await Self.change(fixture, enable: true, ["spec": ["mesh": "blue"]])
            #expect(first.operation?.metadata["verb"] == "mesh:enable")
            #expect(first.operation?.response?["phase"] == "Enabled")
            #expect(try await Self.mesh(fixture) == ["enabled": true, "mesh": "blue"])
            let second = try await Self.change(fixture, enable: false)
            #expect(second.operation?.metadata["verb"] == "mesh:disable")
            #expect(second.operation?.response?["phase"] == "Disabled")
            #expect(try await Self.mesh(fixture) == ["enabled": false, "mesh": "blue"])
            _ = try await Self.change(fixture, enable: true)
            #expect(try await Self.mesh(fixture) == ["enabled": true, "mesh": "blue"])
        }
    }

    @Test("what cannot be is refused")
    func refused() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("clusters/far", ["kind": "universal"])
            let stale = WriteOptions(precondition: .absent, requestId: "r")
            func answer(
                enable: Bool, _ body: JSONValue = [:], _ options: WriteOptions = WriteOptions(requestId: "r"),
                by caller: Caller = ControlFixture.admin
            ) async throws -> String {
                try await refusal { try await Self.change(fixture, enable: enable, body, options, by: caller) }
            }
            #expect(
                try await answer(enable: true, ["spec": ["mesh": "moon"]]) == "invalid: /spec/mesh unknownReference")
            #expect(try await answer(enable: true, ["spec": ["enabled": false]]) == "invalid: /spec/enabled conflict")
            #expect(try await answer(enable: false, ["spec": ["enabled": true]]) == "invalid: /spec/enabled conflict")
            #expect(try await answer(enable: true, ["mesh": "blue"]) == "invalid: /mesh unknownField")
            #expect(try await answer(enable: true, [:], stale) == "stale")
            #expect(try await answer(enable: true, by: .of(.developer)) == "forbidden: clusters.enableMesh")
            // Who leaves a mesh need not have one.
            #expect(try await answer(enable: false, ["spec": ["mesh": "moon", "enabled": false]]) == "accepted")
            #expect(try await answer(enable: true, ["spec": ["mesh": "default", "enabled": true]]) == "accepted")
            try await fixture.delete("clusters/far")
            #expect(try await answer(enable: true) == "not found: cluster far")
        }
    }

    @Test("an operation is its tenant's, and who waits for one that is done does not wait")
    func operations() async throws {
        try await ControlFixture.runPrepared { fixture in
            let done = try #require(try await fixture.put("clusters/far", Self.enabled).operation)
            let (control, acme) = (fixture.control, ControlFixture.acme)
            #expect(try await control.operation(done.id, of: acme, by: .of(.viewer)).id == done.id)
            #expect(
                try await control.wait(for: done.id, of: acme, atMost: .seconds(600), by: .of(.viewer)).done)
            let strange = try await refusal {
                try await control.operation(done.id, of: acme, by: .of(.viewer, tenant: "globex"))
            }
            #expect(strange == "not found: tenant acme")
            let none = "00000000-0000-0000-0000-000000000000"
            #expect(
                try await refusal { try await control.operation(none, of: acme, by: .of(.viewer)) }
                    == "not found: operation \(none)")
        }
    }

    @Test("who waits for an operation that is not done is told so when the time is over")
    func waiting() async throws {
        try await ControlFixture.runPrepared { fixture in
            let done = try #require(try await fixture.put("clusters/far", Self.enabled).operation)
            try await fixture.execute("UPDATE operation SET done = false")
            let waited = try await fixture.control.wait(
                for: done.id, of: ControlFixture.acme, atMost: .milliseconds(1), by: .of(.viewer))
            #expect(!waited.done)
            // And who has time is told when it is.
            async let later = fixture.control.wait(
                for: done.id, of: ControlFixture.acme, atMost: .seconds(60), by: .of(.viewer))
            try await fixture.execute("UPDATE operation SET done = true")
            #expect(try await later.done)
        }
    }
}
