import Documents
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("The name of a host")
struct HostNameRulesTests {
    @Test(
        "has labels of lower-case letters, digits and hyphens, and is no address",
        arguments: [
            ("a", true), ("a.b", true), ("api-2.example.com", true), ("10.0.0.1", false), ("10.0.0.1.a", true),
            ("", false),
            ("A.b", false), ("a..b", false), (".a", false), ("a.", false), ("a b", false), ("a/b", false),
            ("-a.b", false),
            (String(repeating: "a.", count: 126) + "a", true), (String(repeating: "a.", count: 127) + "a", false),
        ])
    func names(_ text: String, isName: Bool) { #expect(HostName.isName(text) == isName) }

    @Test(
        "may be defined by others if it has a dot, and does not end as services' do",
        arguments: [
            ("api.example.com", true), ("reviews.shop", true), ("reviews.shop.svc", true), ("reviews", false),
            ("reviews.shop.svc.cluster.local", false), ("a.b.c.svc.cluster.local", false), ("svc.cluster.local", true),
        ])
    func definable(_ text: String, mayBe: Bool) { #expect(HostName.mayBeDefined(text) == mayBe) }

    @Test("of a service is the full one, and no shorter")
    func full() throws {
        let reviews = try MeshDocument.namespaced("shop/reviews")
        #expect(HostName.service(full: "reviews.shop.svc.cluster.local") == reviews)
        for text in [
            "reviews", "reviews.shop", "reviews.shop.svc", "reviews.svc.cluster.local", "a.b.c.svc.cluster.local",
        ] {
            #expect(HostName.service(full: text) == nil, "\(text)")
        }
        #expect(HostName.firstLabel("reviews.shop") == "reviews" && HostName.firstLabel("reviews") == "reviews")
    }

    @Test(
        "in documents is a service's or a definable one, without the dot at its end",
        arguments: [
            ("reviews", "reviews"), ("reviews.shop.", "reviews.shop"), ("api.example.com", "api.example.com"),
            ("a.b.c.svc.cluster.local", nil), ("*.example.com", nil), ("*", nil), ("A", nil), ("10.0.0.1", nil),
            ("", nil),
            ("a:80", nil), ("a..", nil),
        ])
    func documents(_ text: String, _ expected: String?) {
        let log = ViolationLog()
        let rule = DestinationRuleSpec.read(["host": .string(text)], at: .root, log: log)
        #expect(rule?.host == expected)
        #expect(log.violations.map(\.pointer.description) == (expected == nil ? ["/host"] : []))
        #expect((log.violations.first?.code == .unsupported) == text.contains("*"))
    }
}
