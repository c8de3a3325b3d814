import Documents
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@testable import MeshCompiler

@Suite("Which VirtualService decides about a host, and what the others are told")
struct HostOwnershipTests {
    private static let service: JSONValue = ["spec": ["ports": [["name": "http", "port": 80]]]]

    private static func rules(
        _ hosts: [String], _ created: Int64, lets namespaces: [String] = [], gateways: [String] = []
    ) -> JSONValue {
        var spec: [String: JSONValue] = [
            "hosts": .array(hosts.map(JSONValue.string)),
            "http": [["route": [["destination": ["host": "reviews.shop"]]]]],
            "gateways": .array(gateways.map(JSONValue.string)),
        ]
        if !namespaces.isEmpty {
            spec["delegateHosts"] = [["host": "reviews.shop", "namespaces": .array(namespaces.map(JSONValue.string))]]
        }
        return ["spec": .object(spec), "createTime": .integer(created)]
    }

    private static func ownership(_ rules: [String: JSONValue]) throws -> HostOwnership {
        let state = try MeshDocument.read([
            "services": ["shop/reviews": service, "shop/ratings": service], "virtualServices": .object(rules),
        ])
        let host = Host.service(try MeshDocument.namespaced("shop/reviews"))
        return try #require(HostOwnership.all(of: [host], in: state)[host])
    }

    private static func told(_ ownership: HostOwnership) throws -> [String] {
        ownership.diagnostics(in: MeshKey(tenant: try MeshDocument.name("acme"), mesh: .defaultMesh)).map {
            "\($0.object.namespacedName?.description ?? "") \($0.pointer) \($0.code): \($0.detail)"
        }
    }

    @Test("the oldest of the host's own namespace owns it; a later one is told")
    func owners() throws {
        let ownership = try Self.ownership([
            "shop/late": Self.rules(["ratings", "reviews"], 2), "shop/first": Self.rules(["reviews"], 1),
            "shop/edge": Self.rules(["reviews"], 0, gateways: ["ingress"]), "shop/other": Self.rules(["ratings"], 0),
            "ops/reviews": Self.rules(["reviews"], 0),
        ])
        #expect(ownership.owner?.description == "shop/first" && ownership.holder == ownership.owner)
        #expect(
            try Self.told(ownership) == [
                "shop/late /spec/hosts/1 conflict: VirtualService shop/first owns the host of service shop/reviews"
            ])
        let together = try Self.ownership(["shop/b": Self.rules(["reviews"], 1), "shop/a": Self.rules(["reviews"], 1)])
        #expect(together.owner?.description == "shop/a")
    }

    @Test("one that is let in decides in the owner's place, the oldest of several")
    func delegates() throws {
        let ownership = try Self.ownership([
            "shop/own": Self.rules(["reviews"], 5, lets: ["ops", "lab"]), "ops/b": Self.rules(["reviews.shop"], 3),
            "lab/a": Self.rules(["reviews.shop"], 2), "web/c": Self.rules(["reviews.shop"], 1),
        ])
        #expect(ownership.owner?.description == "shop/own" && ownership.holder?.description == "lab/a")
        let (ops, web) = (try MeshDocument.name("ops"), try MeshDocument.name("web"))
        #expect(ownership.letsIn(ops) && !ownership.letsIn(web))
        #expect(
            try Self.told(ownership) == [
                "ops/b /spec/hosts/0 conflict: VirtualService lab/a, which is let in, decides about service shop/reviews",
                "shop/own /spec/hosts/0 delegated: VirtualService lab/a, which is let in, decides about service shop/reviews",
                "web/c /spec/hosts/0 conflict: VirtualService shop/own owns the host of service shop/reviews, and does not let "
                    + "namespace web in with spec.delegateHosts",
            ])
        // The owner may let in others of its own namespace, too.
        let own = try Self.ownership([
            "shop/own": Self.rules(["reviews"], 1, lets: ["shop"]), "shop/second": Self.rules(["reviews"], 2),
        ])
        #expect(own.owner?.description == "shop/own" && own.holder?.description == "shop/second")
    }

    @Test("one of another namespace that nobody lets in decides about nothing")
    func homeless() throws {
        let ownership = try Self.ownership(["ops/a": Self.rules(["reviews.shop"], 1, lets: ["ops"])])
        #expect(ownership.owner == nil && ownership.holder == nil)
        #expect(
            try Self.told(ownership) == [
                "ops/a /spec/hosts/0 conflict: service shop/reviews belongs to namespace shop: a VirtualService there that has "
                    + "the host must let namespace ops in with spec.delegateHosts"
            ])
    }

    @Test("who would come is told before what is in its way")
    func objections() throws {
        let owned = try Self.ownership([
            "shop/own": Self.rules(["reviews"], 1, lets: ["ops"]), "ops/a": Self.rules(["reviews.shop"], 2),
        ])
        let free = try Self.ownership(["shop/own": Self.rules(["reviews"], 1, lets: ["ops"])])
        let closed = try Self.ownership(["shop/own": Self.rules(["reviews"], 1)])
        let nobody = try Self.ownership([:])
        func objects(_ ownership: HostOwnership, _ name: String) throws -> Bool {
            ownership.objection(to: try MeshDocument.namespaced(name)) != nil
        }
        let rows: [(ownership: HostOwnership, name: String, objects: Bool)] = [
            (owned, "shop/own", false), (owned, "ops/a", false), (owned, "ops/b", true), (owned, "shop/b", true),
            (owned, "web/b", true), (free, "ops/b", false), (free, "web/b", true), (free, "shop/b", true),
            (closed, "ops/b", true),
            (closed, "shop/own", false), (nobody, "shop/b", false), (nobody, "ops/b", true),
        ]
        for row in rows { #expect(try objects(row.ownership, row.name) == row.objects, "\(row.name)") }
    }
}
