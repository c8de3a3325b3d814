import Documents
import MeshCore
import MeshStore
import Testing

@testable import MeshControl

@Suite("What a reader whose key is narrowed sees of a proxy's configuration")
struct ProxyVisibilityTests {
    private static func config(_ names: [String], content: JSONValue = [:]) -> ProxyConfig {
        let resources = names.map { ProxyConfig.Resource(name: $0, version: "1") { content } }
        return ProxyConfig(
            revision: 1,
            ofTypes: [
                ProxyConfig.OfType(
                    type: "RDS", state: .synced, source: .stream, sentVersion: "1", ackedVersion: "1",
                    currentVersion: "1", sent: resources, current: resources)
            ])
    }

    private static func names(_ config: ProxyConfig) -> [[String]] {
        config.ofTypes.flatMap { [$0.sent.map(\.name), $0.current.map(\.name)] }
    }

    @Test("are the resources that are called after a service of its namespaces, and those that are called after none")
    func resources() throws {
        let shop = try #require(Name("shop"))
        let seen = ["outbound|9080|v1|reviews.shop.svc.cluster.local", "reviews.shop:9080", "http_proxy", "inbound|80"]
        let hidden = ["outbound|9080||reviews.pay.svc.cluster.local", "reviews.pay:9080"]
        let config = Self.config(seen + hidden)
        #expect(Self.names(config.visible(to: [shop])) == [seen, seen])
        #expect(Self.names(config.visible(to: [])) == [seen + hidden, seen + hidden], "not narrowed")
    }

    @Test("are, of a table of all routes, the virtual hosts of those services")
    func hosts() throws {
        let hosts: [JSONValue] = ["reviews.shop:9080", "reviews.pay:9080", "blackhole"].map { ["name": .string($0)] }
        let config = Self.config(["http_proxy"], content: ["name": "http_proxy", "virtual_hosts": .array(hosts)])
        let seen = config.visible(to: [try #require(Name("shop"))]).ofTypes.first?.sent.first?.content()
        #expect(seen == ["name": "http_proxy", "virtual_hosts": [hosts[0], hosts[2]]])
    }
}
