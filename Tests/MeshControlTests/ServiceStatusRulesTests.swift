import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@Suite("What releases have made of a service can be taken back, when none is active")
struct ServiceStatusRulesTests {
    private static func clear(
        _ fixture: ControlFixture, promotions: Bool, _ body: JSONValue = [:],
        _ options: WriteOptions = WriteOptions(requestId: "r"), by caller: Caller = ControlFixture.admin
    ) async throws -> WrittenObject {
        let key = try ControlFixture.key("shop/services/reviews")
        let record: @Sendable (WrittenObject) -> StoredAnswer = { _ in StoredAnswer(status: 200, headers: [:], body: [])
        }
        return
            promotions
            ? try await fixture.control.clearPromotions(of: key, body, options, by: caller, recording: record).value()
            : try await fixture.control.clearStable(of: key, body, options, by: caller, recording: record).value()
    }

    private static let retired = ServiceStatus(
        stableVersion: .known("v2"),
        promotions: [.init(from: .known("v1"), at: Timestamp(microseconds: 1)), .init(from: .known("v3"))])

    @Test("the version in charge, and the redirections of one or of all retired ones")
    func cleared() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/services/pages", ControlFixture.service())
            try await fixture.put(
                "shop/virtualServices/pages",
                [
                    "hosts": ["pages"],
                    "http": [
                        [
                            "match": [["uri": ["exact": "/a"]]],
                            "route": [["destination": ["host": "reviews", "subset": "v1"]]],
                        ],
                        ["route": [["destination": ["host": "reviews"]]]],
                    ],
                ])
            try await fixture.put("shop/services/apart", ControlFixture.service())
            try await fixture.put("shop/virtualServices/apart", ControlFixture.rules("apart", to: ["host": "apart"]))
            func status() async throws -> ServiceStatus {
                ServiceStatus(try await fixture.fetch("shop/services/reviews").status)
            }
            func moved(promotions: Bool, _ body: JSONValue = [:]) async throws -> [String] {
                try await fixture.putStatus("shop/services/reviews", Self.retired.json)
                return try await Self.clear(fixture, promotions: promotions, body).warnings.map(\.detail)
            }
            let pinned =
                "/spec/http/0/match/0 of VirtualService shop/pages, port 9080, goes to shop/reviews v1 instead of "
                + "shop/reviews v2"
            #expect(try await moved(promotions: true, ["from": "v1"]) == [pinned])
            #expect(try await status().promotions.map(\.from.text) == ["v3"])
            #expect(try await moved(promotions: true) == [pinned])
            #expect(try await status().promotions == [])
            #expect(try await status().stableVersion?.text == "v2")
            let all = "goes to all versions of shop/reviews instead of shop/reviews v2"
            #expect(
                try await moved(promotions: false) == [
                    pinned, "/spec/http/1 of VirtualService shop/pages, port 9080, \(all)",
                    "the default route of service shop/reviews, port 9080, \(all)",
                ])
            #expect(try await status() == ServiceStatus())
        }
    }

    @Test("what cannot be is refused")
    func refused() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.putStatus("shop/services/reviews", Self.retired.json)
            func answer(
                promotions: Bool, _ body: JSONValue = [:], _ precondition: Precondition = .none,
                by caller: Caller = ControlFixture.admin
            ) async throws -> String {
                let options = WriteOptions(precondition: precondition, validateOnly: true, requestId: "r")
                return try await refusal {
                    try await Self.clear(fixture, promotions: promotions, body, options, by: caller)
                }
            }
            #expect(try await answer(promotions: true, ["from": "v2"]) == "invalid: /from unknownReference")
            #expect(try await answer(promotions: true, ["from": "v3"]) == "accepted")
            #expect(try await answer(promotions: true, ["to": "v3"]) == "invalid: /to unknownField")
            #expect(try await answer(promotions: false, ["from": "v3"]) == "invalid: /from unknownField")
            #expect(try await answer(promotions: false, [:], .absent) == "stale")
            #expect(try await answer(promotions: false, by: .of(.developer)) == "forbidden: services.clearStable")
            #expect(try await answer(promotions: true, by: .of(.developer)) == "forbidden: services.clearPromotions")
            try await fixture.putStatus("shop/services/reviews", ServiceStatus().json)
            try await fixture.put("shop/releases/r", ControlFixture.release())
            #expect(try await answer(promotions: false) == "accepted")
            try await fixture.act(.start)
            #expect(try await answer(promotions: false) == "conflict: inUse r")
        }
    }

    @Test("of very many routes that move some are told, and how many more there are")
    func manyMoves() async throws {
        try await ControlFixture.runPrepared { fixture in
            func moved(_ rules: Int) async throws -> [String] {
                let http = (0..<rules).map { index -> JSONValue in
                    [
                        "match": [["uri": ["exact": .string("/\(index)")]]],
                        "route": [["destination": ["host": "reviews"]]],
                    ]
                }
                try await fixture.put(
                    "shop/virtualServices/reviews", ["hosts": ["reviews"], "http": .array(http)])
                try await fixture.putStatus("shop/services/reviews", Self.retired.json)
                return try await Self.clear(fixture, promotions: false).warnings.map(\.detail)
            }
            #expect(try await moved(200).count == 200)
            let many = try await moved(203)
            #expect(many.count == 201 && many.last == "and 3 more routes move")
        }
    }
}
