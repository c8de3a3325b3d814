import Crypto
import Foundation
import HTTPFixtures
import TestSupport
import Testing

@testable import Egress

@Suite("Webhooks", .timeLimit(.minutes(5)))
struct WebhookCallTests {
    private static let long = Duration.seconds(60)
    private static let body = Array(#"{"test": 2432232314}"#.utf8)
    private static let secret = WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    @Test("are signed as the Standard Webhooks say")
    func signature() {
        // The example of their documentation.
        let signature = Self.secret.signature(id: "msg_p5jXN8AQM9LWM0D4loKWxJek", at: 1_614_265_330, Self.body)
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        #expect(WebhookSecret("whsec_!") != WebhookSecret("whsec_"))
        // Any other text is the key itself.
        let code = HMAC<SHA256>.authenticationCode(
            for: Array("a.1.".utf8) + Self.body, using: SymmetricKey(data: Array("plain".utf8)))
        #expect(
            WebhookSecret("plain").signature(id: "a", at: 1, Self.body) == "v1," + Data(code).base64EncodedString())
        #expect("\(Self.secret) \(String(reflecting: [Self.secret]))".contains("Mf") == false)
    }

    @Test("are one POST with an id that tells whoever gets it twice, and have code and body of the answer")
    func answered() async throws {
        try await ScriptedServer.run(.status("202 Accepted", "so be it", "Retry-After: 7\r\n")) { server in
            try await withClient { client in
                let call = WebhookCall(
                    url: server.url + "/hook", body: Self.body, id: "rel/1", secret: Self.secret, timeout: Self.long)
                guard case .answered(let answer) = await client.post(call, at: 1_614_265_330) else {
                    Issue.record("there is no answer")
                    return
                }
                #expect(answer.code == 202 && answer.isSuccess && answer.text == "so be it")
                #expect(answer.retryAfter == .seconds(7) && answer.time > .zero)
                let request = try #require(server.requests.first)
                let signature = Self.secret.signature(id: "rel/1", at: 1_614_265_330, Self.body)
                #expect(request.hasPrefix("POST /hook HTTP/1.1\r\n"))
                for header in [
                    "Content-Type: application/json", "webhook-id: rel/1", "Idempotency-Key: rel/1",
                    "webhook-timestamp: 1614265330", "webhook-signature: \(signature)",
                ] {
                    #expect(request.contains("\r\n\(header)\r\n"), "\(header)")
                }
                #expect(request.hasSuffix("\r\n\r\n" + String(decoding: Self.body, as: UTF8.self)))
            }
        }
    }

    @Test("without a secret are not signed, and codes that mean success are those that are said")
    func codes() async throws {
        try await ScriptedServer.run(.status("409 Conflict", "")) { server in
            try await withClient { client in
                for (codes, isSuccess) in [([200...299], false), ([200...299, 409...409], true)] {
                    let call = WebhookCall(
                        url: server.url, body: Self.body, id: "a", timeout: Self.long, successCodes: codes)
                    guard case .answered(let answer) = await client.post(call, at: 1) else {
                        Issue.record("there is no answer")
                        return
                    }
                    #expect(answer.code == 409 && answer.isSuccess == isSuccess && answer.retryAfter == nil)
                }
                #expect(server.requests.allSatisfy { !$0.contains("webhook-signature") })
            }
        }
    }

    @Test("keep the beginning of a long answer, whether it says how long it is or not")
    func cut() async throws {
        let limit = WebhookCall.keptBytes
        for head in ["HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"] {
            try await ScriptedServer.run(.zeros(head, 100_000)) { server in
                try await withClient { client in
                    let call = WebhookCall(url: server.url, body: Self.body, id: "a", timeout: Self.long)
                    guard case .answered(let answer) = await client.post(call, at: 1) else {
                        Issue.record("there is no answer")
                        return
                    }
                    #expect(answer.isSuccess && answer.body == [UInt8](repeating: 0x30, count: limit))
                }
            }
        }
    }

    @Test("that have no answer say why, and nothing of their URL but its host")
    func noAnswer() async throws {
        try await ScriptedServer.run(.close) { server in
            try await withClient { client in
                let call = WebhookCall(url: server.url + "/hunter2", body: Self.body, id: "a", timeout: Self.long)
                guard case .noAnswer(let reason) = await client.post(call, at: 1) else {
                    Issue.record("there is an answer")
                    return
                }
                #expect(!reason.isEmpty && !reason.contains("hunter2"), "\(reason)")
            }
            try await withClient(EgressPolicy()) { client in
                let call = WebhookCall(url: server.url + "/hunter2", body: Self.body, id: "a", timeout: Self.long)
                guard case .noAnswer(let reason) = await client.post(call, at: 1) else {
                    Issue.record("there is an answer")
                    return
                }
                #expect(reason.contains("--egress-allow") && !reason.contains("hunter2"), "\(reason)")
            }
        }
    }

    @Test("that hang end when their time is over")
    func hanging() async throws {
        try await ScriptedServer.run(.hold("")) { server in
            try await withClient { client in
                let call = WebhookCall(url: server.url, body: Self.body, id: "a", timeout: .milliseconds(200))
                let outcome = await client.post(call, at: 1)
                #expect(outcome == .noAnswer("timed out while waiting for the response"))
            }
        }
    }
}
