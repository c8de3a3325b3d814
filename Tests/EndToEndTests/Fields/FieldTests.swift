import Documents
import GrayRelease
import MeshCore
import MeshLab
import MeshModel
import TestSupport
import Testing

/// Each field that is accepted is seen to act, on a real Envoy: what a row expects holds with its document, and does not hold
/// with the same document without the field.
@Suite("Each field that is accepted", .serialized)
struct FieldTests {
    private static let tables: [(collection: String, prefix: String, rows: [FieldRow])] = [
        ("virtualServices", "v", VirtualServiceFields.rows), ("destinationRules", "d", DestinationRuleFields.rows),
        ("releases", "r", ReleaseFields.rows),
    ]

    @Test("has a row in the table of its kind")
    func complete() {
        let accepted: [(kind: String, fields: Set<String>, rows: [String])] = [
            (
                "VirtualService", AcceptedFields.of(VirtualServiceSpec.self),
                VirtualServiceFields.rows.map(\.pattern) + VirtualServiceFields.fixed.map(\.pattern)
                    + VirtualServiceFields.elsewhere
            ),
            (
                "DestinationRule",
                DestinationRuleFields.counted(
                    AcceptedFields.of(DestinationRuleSpec.self)),
                DestinationRuleFields.rows.map(\.pattern) + DestinationRuleFields.fixed.map(\.pattern)
            ),
            (
                "Release", ReleaseFields.counted(AcceptedFields.of(ReleaseSpec.self)),
                ReleaseFields.rows.map(\.pattern) + ReleaseFields.fixed.map(\.pattern) + ReleaseFields.elsewhere
            ),
        ]
        for (kind, fields, rows) in accepted {
            #expect(fields.count > 20, "\(kind)")
            #expect(fields.subtracting(rows).sorted() == [], "fields of \(kind) without a row")
            #expect(Set(rows).subtracting(fields).sorted() == [], "rows for what is no field of \(kind)")
        }
    }

    @Test("stands in documents that are accepted, with and without it")
    func documents() {
        func check<Noun: Document>(_ rows: [FieldRow], _ noun: Noun.Type) {
            for row in rows {
                for spec in [row.spec, row.comparison] {
                    let log = ViolationLog()
                    _ = noun.read(spec.replacing("$host", with: "a"), at: .root, log: log)
                    let problems = (log.violations + log.unknownFields).map { "\($0.pointer) \($0.detail)" }
                    #expect(problems == [], "\(row.field)", sourceLocation: row.location)
                }
                #expect(row.spec != row.comparison, "\(row.field)", sourceLocation: row.location)
            }
        }
        check(VirtualServiceFields.rows, VirtualServiceSpec.self)
        check(DestinationRuleFields.rows, DestinationRuleSpec.self)
        check(ReleaseFields.rows, ReleaseSpec.self)
    }

    @Test("with one value only refuses all others")
    func fixed() {
        VirtualServiceFields.fixed.forEach { $0.check(VirtualServiceSpec.self) }
        DestinationRuleFields.fixed.forEach { $0.check(DestinationRuleSpec.self) }
        ReleaseFields.fixed.forEach { $0.check(ReleaseSpec.self) }
    }

    @Test("makes a difference", arguments: TestTools.Envoy.allCases)
    func act(_ envoy: TestTools.Envoy) async throws {
        let rows = Self.tables.flatMap { collection, prefix, rows in
            rows.enumerated().map { (collection: collection, name: "\(prefix)\($0)", row: $1) }
        }
        try await FieldLab.run(rows, envoy: TestTools.envoy(envoy)) { lab in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, (_, name, row)) in rows.enumerated() {
                    if index >= 6 { try await group.next() }
                    group.addTask { await check(row, name, lab) }
                }
                try await group.waitForAll()
            }
        }
    }

    private func check(_ row: FieldRow, _ name: String, _ lab: FieldLab) async {
        do {
            if let (object, patch) = row.deed {
                for host in [name, "\(name)-less"] {
                    try await eventually("the release of \(host) waits") {
                        try await lab.release(of: host)["phase"] == "Paused"
                    }
                    try await lab.patch(object, of: host, patch)
                }
            }
            var with = try await observe(row, name, lab)
            var without = try await observe(row, "\(name)-less", lab)
            // First that there is a difference, so that what the field prevents has had time to happen.
            try await settle(row, &without, false, "makes no difference: without it too")
            try await settle(row, &with, true, "does not act: it is not so that")
        } catch {
            Issue.record("\(row.field) \(error)", sourceLocation: row.location)
        }
    }

    /// Waits until the row's expectation holds, or does not. What could not be asked, as a busy Envoy answers late, is
    /// asked again.
    private func settle(_ row: FieldRow, _ seen: inout Observation, _ expected: Bool, _ failure: String) async throws {
        var problem: (any Error)?
        do {
            try await eventually(failure) {
                do {
                    if try await row.expectation.holds(seen) == expected { return true }
                    if row.asksAgain { seen = try await observe(row, seen.host, seen.lab) }
                    problem = nil
                } catch {
                    problem = error
                }
                return false
            }
        } catch {
            if let problem { throw problem }
            let answers = seen.answers.suffix(4).map { "\($0.status) \($0.version ?? "-") \($0.headers) \($0.text)" }
            throw LabError("\(failure) \(row.expectation.text); last answers: \(answers)")
        }
    }

    private func observe(_ row: FieldRow, _ host: String, _ lab: FieldLab) async throws -> Observation {
        var answers: [Caller.Answer] = []
        for ask in row.asks {
            var request = ask.request
            request.headers.append(("x-lab-id", host))
            let (message, name) = (request, ask.host.replacing("$host", with: host))
            if ask.atOnce {
                answers += try await withThrowingTaskGroup(of: Caller.Answer.self) { group in
                    for _ in 0..<ask.times { group.addTask { try await lab.caller.send(message, to: name) } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
            } else {
                for _ in 0..<ask.times { answers.append(try await lab.caller.send(message, to: name)) }
            }
        }
        return Observation(answers: answers, host: host, lab: lab)
    }
}

/// A field that is accepted with one value, which is what holds without it. It says no more than that a document is understood.
struct FixedField {
    /// A pointer into ``spec``.
    var field: String
    /// With the value.
    var spec: JSONValue
    /// Another value, which is refused.
    var other: JSONValue
    var location: SourceLocation

    init(
        _ field: String, _ spec: JSONValue, refuses other: JSONValue, at location: SourceLocation = #_sourceLocation
    ) {
        self.field = field
        self.spec = spec
        self.other = other
        self.location = location
    }

    private var tokens: [String] { field.split(separator: "/").map(String.init) }
    var pattern: String { AcceptedFields.pattern(tokens) }

    func check<Noun: Document>(_ noun: Noun.Type) {
        let log = ViolationLog()
        let spec = spec.replacing("$host", with: "a")
        #expect(noun.read(spec, at: .root, log: log) != nil, "\(log.violations)", sourceLocation: location)
        let changed = spec.replacing(tokens.dropFirst(), with: other)
        let refusal = ViolationLog()
        #expect(noun.read(changed, at: .root, log: refusal) == nil, "\(field)", sourceLocation: location)
    }
}
