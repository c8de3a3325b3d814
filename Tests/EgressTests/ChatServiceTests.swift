import Documents
import Foundation
import HTTPFixtures
import TestSupport
import Testing

@testable import Egress

@Suite("Chats", .timeLimit(.minutes(5)))
struct ChatServiceTests {
    private static func call(
        _ service: ChatService, _ text: String, secret: String? = nil, url: String = "https://chat.test/hook?t=1"
    ) throws -> (url: String, body: JSONValue) {
        let call = service.call(
            text, to: url, id: "a", signedWith: secret, at: 1_700_000_000, timeout: .seconds(1), bounds: [])
        return (call.url, try JSONValue(json: Data(call.body)))
    }

    @Test("are written to in their own forms")
    func forms() throws {
        let plain = "a <b> & \"c\"\nd"
        #expect(try Self.call(.slack, plain).body == ["text": "a &lt;b&gt; &amp; \"c\"\nd"])
        #expect(try Self.call(.feishu, plain).body == ["msg_type": "text", "content": ["text": .string(plain)]])
        #expect(try Self.call(.dingtalk, plain).body == ["msgtype": "text", "text": ["content": .string(plain)]])
        for service in ChatService.allCases {
            #expect(try Self.call(service, plain).url == "https://chat.test/hook?t=1")
        }
    }

    @Test("that sign are sent a signature in the form of each")
    func signatures() throws {
        // Computed by another program, of the vendors' descriptions.
        let feishu = try Self.call(.feishu, "a", secret: "s3cret").body
        #expect(feishu["timestamp"] == "1700000000" && feishu["sign"] == "IX3eHI0/v/Td7jqJ0ynSEK3Dq5JY3HUZeoeMgVZeZGo=")
        let sign = "MT7bXSNfVTPzQMEuLWvmMNbmZSCUY1X6YKn9AxBnLsI%3D"
        #expect(
            try Self.call(.dingtalk, "a", secret: "s3cret").url
                == "https://chat.test/hook?t=1&timestamp=1700000000000&sign=\(sign)")
        #expect(
            try Self.call(.dingtalk, "a", secret: "s3cret", url: "https://chat.test/hook").url
                == "https://chat.test/hook?timestamp=1700000000000&sign=\(sign)")
        #expect(try Self.call(.slack, "a", secret: "s3cret").body == ["text": "a"])
    }

    @Test(
        "say in their own way whether they took a message",
        arguments: [
            (ChatService.slack, 200, "ok", nil), (.slack, 404, "no_team", "the answer is 404: no_team"),
            (.feishu, 200, #"{"code":0,"msg":"success"}"#, nil), (.feishu, 200, #"{"StatusCode":0}"#, nil),
            (.feishu, 200, #"{"code":19024,"msg":"Key Words Not Found"}"#, "the answer says code 19024: {"),
            (.feishu, 200, "ok", "the answer does not say that the message was taken: ok"),
            (.dingtalk, 200, #"{"errcode":0,"errmsg":"ok"}"#, nil),
            (.dingtalk, 200, #"{"errcode":310000,"errmsg":"sign not match"}"#, "the answer says errcode 310000: {"),
            (.dingtalk, 500, "", "the answer is 500"),
            (.dingtalk, 200, "", "the answer does not say that the message was taken"),
        ] as [(ChatService, Int, String, String?)])
    func answers(service: ChatService, code: Int, body: String, reason: String?) {
        let answer = WebhookAnswer(
            code: code, isSuccess: (200...299).contains(code), body: Array(body.utf8), time: .zero, retryAfter: nil)
        let refusal = service.refusal(in: answer)
        #expect((refusal == nil) == (reason == nil) && refusal?.hasPrefix(reason ?? "") ?? true, "\(refusal ?? "-")")
    }
}
