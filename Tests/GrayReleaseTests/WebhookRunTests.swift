import Analysis
import Documents
import GrayRelease
import MeshCore
import ReleaseFixtures
import Testing

@Suite("A webhook is called until an answer decides")
struct WebhookRunTests {
    private static func run(_ change: (inout WebhookStep) -> Void = { _ in }) -> WebhookRun {
        var call = WebhookStep()
        call.url = "https://ci.example.com/load"
        change(&call)
        return WebhookRun(
            id: "a1-v2-webhook", call, body: ["release": "r"], step: 1, attempt: 1, startedAt: Fixture.epoch)
    }

    private static func answer(_ code: Int, retryAfter: Duration? = nil) -> WebhookRun.Outcome {
        .answered(code, body: "ok", after: .milliseconds(20), retryAfter: retryAfter)
    }

    @Test("it is due at once; success ends it")
    func success() {
        var run = Self.run()
        #expect(run.due == Fixture.epoch)
        run.take(Self.answer(204), now: Fixture.epoch + .seconds(1))
        #expect((run.phase, run.due) == (.successful, nil))
        run.take(Self.answer(500), now: Fixture.epoch + .seconds(2))
        #expect(run.phase == .successful, "what comes later counts for nothing")
        var strict = Self.run { $0.successCodes = [202] }
        strict.take(Self.answer(200), now: Fixture.epoch)
        #expect(strict.phase == .running)
    }

    @Test("another status is a failure once it was the last attempt, and not before")
    func failure() {
        var run = Self.run()
        for number in 1...2 {
            run.take(Self.answer(500), now: Fixture.epoch + .seconds(Int64(number) * 10))
            #expect(run.phase == .running)
            #expect(run.due == Fixture.epoch + .seconds(Int64(number) * 10 + 10))
        }
        run.take(Self.answer(409), now: Fixture.epoch + .seconds(30))
        #expect(run.phase == .failed)
        #expect(run.message == "webhook https://ci.example.com/load answered 409 (attempt 3)")
        var patient = Self.run()
        patient.take(Self.answer(503, retryAfter: .seconds(120)), now: Fixture.epoch)
        #expect(patient.due == Fixture.epoch + .seconds(120))
    }

    @Test("no answer is no verdict: it is tried on, and the first answer clears it")
    func silence() {
        var run = Self.run()
        for number in 0..<3 {
            #expect(run.errorSince == nil)
            run.take(.noAnswer("timed out"), now: Fixture.epoch + .seconds(Int64(number) * 10))
        }
        #expect(run.phase == .error)
        #expect(run.errorSince == Fixture.epoch)
        #expect(run.message == "webhook https://ci.example.com/load does not answer: timed out")
        #expect(run.due != nil)
        run.take(Self.answer(500), now: Fixture.epoch + .seconds(60))
        #expect((run.phase, run.errorSince, run.message) == (.running, nil, ""))
        run.take(Self.answer(200), now: Fixture.epoch + .seconds(70))
        #expect(run.phase == .successful)
    }

    @Test("it reads back as it was written, at every point, and as the run that the engine goes by")
    func document() throws {
        var run = Self.run { $0.args = ["a": "b"] }
        let outcomes: [WebhookRun.Outcome] = [
            .noAnswer("x"), Self.answer(500), .noAnswer("y"), .noAnswer("z"), .noAnswer("z"), Self.answer(200),
        ]
        for (number, outcome) in outcomes.enumerated() {
            #expect(WebhookRun(run.json) == run)
            run.take(outcome, now: Fixture.epoch + .seconds(Int64(number)))
            let seen = try #require(AnalysisRun(run.json))
            #expect((seen.phase, seen.message, seen.errorSince) == (run.phase, run.message, run.errorSince))
        }
        #expect(WebhookRun(run.json) == run)
        #expect(run.shown["body"] == nil)
        for text in ["{}", "[]", "7", #"{"id": "x", "kind": "step", "startedAt": "2026-01-01T00:00:00Z"}"#] {
            #expect(WebhookRun(try JSON.parse(text)) == nil)
        }
    }

    @Test("one whose step is over is over")
    func cancel() {
        var run = Self.run()
        run.cancel(now: Fixture.epoch)
        #expect((run.phase, run.due, run.completedAt) == (.canceled, nil, Fixture.epoch))
        var done = Self.run()
        done.take(Self.answer(200), now: Fixture.epoch)
        done.cancel(now: Fixture.epoch + .seconds(1))
        #expect(done.phase == .successful)
    }

    @Test("only the newest attempts are kept")
    func bounds() {
        var run = Self.run()
        for number in 0..<40 { run.take(.noAnswer("\(number)"), now: Fixture.epoch + .seconds(Int64(number))) }
        #expect(run.attempts.count == WebhookRun.kept)
        #expect(run.attempts.last?.text == "39")
    }
}
