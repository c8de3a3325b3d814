import Documents
import MeshCore
import RE2
import Testing

@Suite("Kinds of clients are told apart by what they say that they are")
struct ClientMatchTests {
    private static let agents: [(os: ClientMatch.System, browser: ClientMatch.Browser?, text: String)] = [
        (
            .windows, .chrome,
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
        ),
        (
            .windows, .edge,
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0"
        ),
        (.windows, .firefox, "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0"),
        (
            .macos, .safari,
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_7_1) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15"
        ),
        (.linux, .firefox, "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"),
        (
            .linux, .chrome,
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
        ),
        (
            .android, .chrome,
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36"
        ),
        (
            .android, .wechat,
            "Mozilla/5.0 (Linux; Android 13; V2148A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 XWEB/1160065 MMWEBSDK/20231202 MMWEBID/2247 MicroMessenger/8.0.47.2560(0x28002F30) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64"
        ),
        (
            .ios, .safari,
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
        ),
        (
            .ios, .chrome,
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1"
        ),
        (
            .ios, .wechat,
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.44(0x18002c2d) NetType/WIFI Language/zh_CN"
        ),
        // Made of Chrome's engine, and neither of those that can be named.
        (
            .windows, nil,
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 OPR/115.0.0.0"
        ),
    ]

    @Test("each fits its own system and browser, and no other", arguments: 0..<12)
    func told(_ index: Int) {
        let agent = Self.agents[index]
        for os in ClientMatch.System.allCases {
            var match = ClientMatch()
            match.systems = [os]
            #expect(RE2.matches(match.regex, agent.text) == (os == agent.os), "\(os)")
        }
        for browser in ClientMatch.Browser.allCases {
            var match = ClientMatch()
            match.browsers = [browser]
            #expect(RE2.matches(match.regex, agent.text) == (browser == agent.browser), "\(browser)")
            match.systems = [agent.os]
            #expect(RE2.matches(match.regex, agent.text) == (browser == agent.browser), "\(browser), \(agent.os)")
        }
        var all = ClientMatch()
        (all.systems, all.browsers) = (ClientMatch.System.allCases, ClientMatch.Browser.allCases)
        #expect(RE2.matches(all.regex, agent.text) == (agent.browser != nil))
        #expect(RE2.matches(all.regex, "curl/8.5.0") == false)
    }

    @Test("the condition on the header is what is stored")
    func expanded() throws {
        let log = ViolationLog()
        let document: JSONValue = ["client": ["os": ["ios"], "browser": ["safari"]], "path": ["prefix": "/a"]]
        let match = try #require(ContentMatch.read(document, at: .root, log: log))
        #expect(log.violations.isEmpty)
        #expect(match.json["client"] == nil)
        #expect(match.json["headers"]?["user-agent"]?["regex"]?.stringValue?.contains("iPhone") == true)
        #expect(ContentMatch.read(match.json, at: .root, log: log) == match)
        for (text, pointer): (JSONValue, String) in [
            (["client": [:]], "/client"), (["client": ["os": ["beos"]]], "/client/os/0"),
            (["client": ["os": ["ios"]], "headers": ["User-Agent": ["exact": "x"]]], "/client"),
        ] {
            let log = ViolationLog()
            _ = ContentMatch.read(text, at: .root, log: log)
            #expect(log.violations.map(\.pointer.description) == [pointer])
        }
    }
}
