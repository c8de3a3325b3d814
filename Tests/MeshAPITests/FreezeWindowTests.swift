import Documents
import HTTPTypes
import Testing

@testable import MeshAPI

@Suite("Freeze windows over HTTP")
struct FreezeWindowTests {
    private static let window = Fixture.shop + "/freezeWindows/w"

    @Test(
        "bad ones are refused with their pointers",
        arguments: [
            ([:], ["/spec/reason required"]),
            (["reason": ""], ["/spec/reason required"]),
            (
                ["reason": 5, "cron": 7],
                [
                    "/spec/reason wrongType", "/spec/cron wrongType", "/spec/duration required",
                    "/spec/timeZone required",
                ]
            ),
            (["reason": "x", "cron": "0 0 30 2 *", "duration": "1h", "timeZone": "UTC"], ["/spec/cron invalidFormat"]),
            (["reason": "x", "cron": "x", "duration": "1h", "timeZone": "UTC"], ["/spec/cron invalidFormat"]),
            (
                ["reason": "x", "cron": "0 0 * * *", "duration": "1h", "timeZone": "Mars/Olympus"],
                ["/spec/timeZone unknownReference"]
            ),
            (["reason": "x", "cron": "0 0 * * *"], ["/spec/duration required", "/spec/timeZone required"]),
            (
                ["reason": "x", "cron": "0 0 * * *", "duration": "10s", "timeZone": "UTC"],
                ["/spec/duration outOfRange"]
            ),
            (
                [
                    "reason": "x", "cron": "0 0 * * *", "duration": "1h", "timeZone": "UTC",
                    "start": "2026-12-01T00:00:00Z", "end": "2026-12-02T00:00:00Z",
                ],
                ["/spec/start conflict", "/spec/end conflict"]
            ),
            (
                ["reason": "x", "duration": "1h", "timeZone": "UTC"],
                ["/spec/duration conflict", "/spec/timeZone conflict"]
            ),
            (
                ["reason": "x", "start": "2026-12-02T00:00:00Z", "end": "2026-12-02T08:00:00+08:00"],
                ["/spec/end invalidValue"]
            ),
            (["reason": "x", "start": "tomorrow"], ["/spec/start invalidFormat"]),
            (["reason": "x", "blocks": []], ["/spec/blocks required"]),
            (
                ["reason": "x", "blocks": ["start", "start", "rollback"]],
                ["/spec/blocks/2 invalidValue", "/spec/blocks/1 duplicate"]
            ),
            (
                ["reason": "x", "services": ["reviews", "reviews", "No"]],
                ["/spec/services/2 invalidFormat", "/spec/services/1 duplicate"]
            ),
            (["reason": "x", "until": "noon"], ["/spec/until unknownField"]),
        ] as [(JSONValue, [String])])
    func refused(_ row: (spec: JSONValue, errors: [String])) async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let answer = try await api.send("PUT", Self.window, ["spec": row.spec])
            #expect((400..<500).contains(answer.status) && answer.errors == row.errors, "\(answer.text)")
        }
    }

    @Test("one is written, read with what it is now, listed, and gone")
    func life() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let written = try await api.send("PUT", Self.window, ["spec": ["reason": "incident"]])
            #expect(written.status == 201 && written.body["status"]?["active"] == true, "\(written.text)")
            #expect(written.body["spec"] == ["reason": "incident", "blocks": ["start", "advance", "promote"]])
            let read = try await api.get(Self.window, ["If-None-Match": written.tag])
            // What it is depends on the time, so that it has no version.
            #expect(read.status == 200 && read.tag == written.tag && read.body["status"]?["active"] == true)
            let weekly: JSONValue = [
                "spec": [
                    "reason": "nights", "cron": "0 22 * * MON-FRI", "duration": "8h", "timeZone": "Asia/Shanghai",
                    "blocks": ["promote"], "services": ["reviews"],
                ]
            ]
            let changed = try await api.send("PUT", Self.window, weekly, ["If-Match": written.tag])
            #expect(changed.status == 200 && changed.body["spec"] == weekly["spec"], "\(changed.text)")
            let occurrence = changed.body["status"]?["occurrence"]
            let hours = ["from", "until"].map { occurrence?[$0]?.stringValue?.dropFirst(11).prefix(5) }
            #expect(hours == ["14:00", "22:00"])
            let list = try await api.get(Fixture.shop + "/freezeWindows")
            #expect(list.body["items"]?.arrayValue?.map { $0["status"] } == [changed.body["status"]], "\(list.text)")
            let used = try await api.get(Fixture.shop + "/services/reviews:references")
            #expect(used.body["usedBy"]?.arrayValue?.contains { $0["object"]?["kind"] == "FreezeWindow" } == true)
            #expect(try await api.send("DELETE", Self.window, headers: ["If-Match": "*"]).status == 204)
            #expect(try await api.get(Self.window).status == 404)
        }
    }
}
