import Documents
import MeshCore
import MeshModel
import MeshStore
import Testing

@testable import MeshControl

@Suite("What a channel is sent next")
struct DeliveryTests {
    private static func messages(_ count: Int, digest: Int64? = nil) -> [OutboxMessage] {
        (0..<count).map { index in
            OutboxMessage(
                sequence: Int64(index + 1), dedupeKey: "k\(index)", document: ["n": .integer(Int64(index))],
                at: Timestamp(microseconds: 0), digest: digest)
        }
    }

    private static func step(
        _ messages: [OutboxMessage], sent: Int = 0, now: Timestamp = Timestamp(microseconds: 0),
        isWanted: (OutboxMessage) -> Bool = { _ in true }
    ) -> Delivery.Step {
        Delivery(minuteBegan: Timestamp(microseconds: 0), sent: sent, now: now).step(messages, isWanted: isWanted)
    }

    @Test("one message after the other, and the last one of a minute has all that wait")
    func minute() {
        #expect(Self.step([]) == .nothing)
        #expect(Self.step(Self.messages(5)) == .send)
        #expect(Self.step(Self.messages(5), sent: 18) == .send)
        #expect(Self.step(Self.messages(5), sent: 19) == .digest)
        #expect(Self.step(Self.messages(1), sent: 19) == .send)
        #expect(Self.step(Self.messages(1), sent: 20) == .wait(until: Timestamp(microseconds: 60_000_000)))
        #expect(Self.step([], sent: 20) == .nothing)
        #expect(Self.step(Self.messages(1), sent: 20, now: Timestamp(microseconds: 60_000_000)) == .send)
    }

    @Test("a digest that was begun is sent again as it was, but no sooner than another message")
    func begun() {
        #expect(Self.step(Self.messages(2, digest: 1)) == .digest)
        #expect(Self.step(Self.messages(2, digest: 1), sent: 20) == .wait(until: Timestamp(microseconds: 60_000_000)))
    }

    @Test("what it does not want is left out, whatever was sent")
    func unwanted() {
        #expect(Self.step(Self.messages(3), sent: 20) { $0.sequence > 2 } == .skip([1, 2]))
        #expect(Self.step(Self.messages(3)) { $0.sequence < 2 } == .send)
    }

    @Test("pauses grow to a quarter of an hour")
    func pauses() {
        let pauses = [1, 2, 3, 8, 9, 1000, .max].map(Delivery.pause)
        #expect(pauses == [5, 10, 20, 640, 900, 900, 900].map { .seconds($0) })
    }

    @Test("texts have a line for each event, bounded, and documents say how many there are")
    func texts() {
        let event: JSONValue = [
            "severity": "warning", "event": "Paused", "namespace": "shop", "release": "r", "service": "reviews",
            "stable": "v1", "canary": "v2", "step": 3, "share": 2_505, "message": "p99 is too high",
        ]
        let line =
            "[warning] Paused: release shop/r (reviews, v1 to v2), step 3, 25.05 % to the canary: p99 is too high"
        let one = NotificationText(documents: [event], count: 1, at: Timestamp(microseconds: 0))
        #expect(one.text == line)
        #expect(one.json["type"] == "release.event" && one.json["data"] == event)
        let many = NotificationText(documents: [event, [:]], count: 7, at: Timestamp(microseconds: 0))
        #expect(many.text == "7 events of releases:\n\(line)\n[?] ?: release ?/? (?, ? to ?)\nand 5 more")
        #expect(many.json["type"] == "release.digest" && many.json["data"]?["count"] == 7)
        let long = NotificationText(
            documents: [["message": .string("e" + String(repeating: "\u{301}", count: 100_000))]], count: 1,
            at: Timestamp(microseconds: 0))
        #expect(long.text.utf8.count < 400)
    }
}
