import Documents
import GrayRelease
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@testable import MeshCompiler

@Suite("A rule becomes routes that say what it says, and what releases and promotions make of it")
struct RouteLoweringTests {
    private static func service(_ ports: [Int64] = [80], status: JSONValue = [:]) -> JSONValue {
        [
            "spec": [
                "ports": .array(ports.map { ["name": .string("p\($0)"), "port": .integer($0)] }),
                "versions": [["name": "v1"], ["name": "v2"]],
            ], "status": status,
        ]
    }

    private static func destination(
        _ host: String, _ subset: String? = nil, port: Int64? = nil, weight: Int64? = nil
    ) -> JSONValue {
        .fields([
            "destination": .fields([
                "host": .string(host), "subset": subset.map(JSONValue.string),
                "port": port.map { ["number": .integer($0)] },
            ]), "weight": weight.map(JSONValue.integer),
        ])
    }

    private static func mesh(
        _ rule: JSONValue, ports: [Int64] = [80], status: JSONValue = [:], release: JSONValue? = nil,
        destinationRules: JSONValue = [:]
    ) throws -> MeshState {
        var document: [String: JSONValue] = [
            "services": [
                "shop/reviews": service(ports, status: status), "shop/pages": service(), "ops/console": service(),
            ],
            "virtualServices": ["shop/rules": ["spec": ["hosts": ["reviews"], "http": [rule]]]],
            "destinationRules": destinationRules,
        ]
        if let release { document["releases"] = ["shop/r": release] }
        return try MeshDocument.read(.object(document))
    }

    private static func release(_ changes: [String: JSONValue]) -> JSONValue {
        .object(["service": "reviews", "stable": "v1", "canary": "v2"].merging(changes) { $1 })
    }

    /// `name: destinations; mirrors` of each route of the first port.
    private static func routes(_ state: MeshState, of service: String = "shop/reviews") throws -> [String] {
        let host = Host.service(try MeshDocument.namespaced(service))
        func text(_ cluster: IR.ClusterName) -> String {
            "\(cluster.host.service?.name.text ?? cluster.host.text)/\(cluster.version?.text ?? "-"):\(cluster.port)"
        }
        return (Compiler(state).virtualHosts(of: host).first?.routes ?? []).map { route in
            guard case .forward(let forward) = route.action else { return "\(route.name): no" }
            let shares = forward.destinations.map { "\(text($0.cluster)) \($0.weight / 100)" }
            let mirrors = forward.mirrors.map { "mirror \(text($0.cluster)) \($0.partsPerMillion / 100)" }
            return "\(route.name): \((shares + mirrors).joined(separator: ", "))"
        }
    }

    @Test("a release divides what goes to its service at its ports, and leaves the rest as it is")
    func divided() throws {
        let rule: JSONValue = [
            "name": "m",
            "route": [
                Self.destination("reviews", port: 80, weight: 50), Self.destination("reviews", port: 81, weight: 30),
                Self.destination("pages", weight: 20),
            ],
        ]
        let state = try Self.mesh(rule, ports: [80, 81], release: Self.release(["share": 2000, "port": 81]))
        #expect(
            try Self.routes(state) == [
                "m: reviews/-:80 5000, reviews/v2:81 600, reviews/v1:81 2400, pages/-:80 2000"
            ])
    }

    @Test("a mirror copies the service's part, once, and nothing where the service has none")
    func mirrors() throws {
        let mirror: [String: JSONValue] = ["mirror": ["share": 5000, "methods": []]]
        func routes(_ rule: JSONValue, _ changes: [String: JSONValue] = mirror) throws -> [String] {
            try Self.routes(Self.mesh(rule, release: Self.release(changes)))
        }
        let shared: JSONValue = [
            "name": "m", "route": [Self.destination("reviews", weight: 40), Self.destination("pages", weight: 60)],
        ]
        #expect(try routes(shared) == ["m: reviews/v1:80 4000, pages/-:80 6000, mirror reviews/v2:80 2000"])
        let none: JSONValue = [
            "name": "m", "route": [Self.destination("reviews", weight: 0), Self.destination("pages", weight: 100)],
        ]
        #expect(try routes(none) == ["m: pages/-:80 10000"])
        let mirrored: JSONValue = [
            "name": "m", "route": [Self.destination("reviews")], "mirror": ["host": "reviews", "subset": "v2"],
        ]
        #expect(try routes(mirrored) == ["m: reviews/v1:80 10000, mirror reviews/v2:80 10000"], "it is there already")
        let other: JSONValue = ["name": "m", "route": [Self.destination("reviews")], "mirror": ["host": "pages"]]
        #expect(try routes(other) == ["m: reviews/v1:80 10000, mirror pages/-:80 10000, mirror reviews/v2:80 5000"])
        let some: [String: JSONValue] = ["mirror": ["share": 5000, "methods": ["GET"]]]
        #expect(
            try routes(["name": "m", "route": [Self.destination("reviews")]], some) == [
                "m~shop/r/mirror: reviews/v1:80 10000, mirror reviews/v2:80 5000", "m: reviews/v1:80 10000",
            ])
    }

    @Test("paths of a scope that are all of them make no copies")
    func paths() throws {
        let rule: JSONValue = ["name": "m", "route": [Self.destination("reviews")]]
        let whole = ["m: reviews/v2:80 2000, reviews/v1:80 8000"]
        let rows: [(paths: JSONValue, routes: [String])] = [
            ([["prefix": "/"]], whole), ([["prefix": ""]], whole), ([[:]], whole),
            ([["prefix": "/a"], ["prefix": "/"]], whole),
            ([["prefix": "/a"]], ["m~shop/r/path: reviews/v2:80 2000, reviews/v1:80 8000", "m: reviews/-:80 10000"]),
            (
                [["exact": "/"]], ["m~shop/r/path: reviews/v2:80 2000, reviews/v1:80 8000", "m: reviews/-:80 10000"]
            ),
        ]
        for row in rows {
            let state = try Self.mesh(rule, release: Self.release(["share": 2000, "paths": row.paths]))
            #expect(try Self.routes(state) == row.routes, "\(row.paths)")
        }
    }

    @Test("a retired version means the stable one in its own namespace, but for a pin and elsewhere")
    func promotions() throws {
        let status: JSONValue = ["stableVersion": "v2", "promotions": [["from": "v1", "rules": ["pin"]]]]
        let header: JSONValue = [["headers": ["x": ["exact": "1"]]]]
        func routes(_ rule: [String: JSONValue], _ status: JSONValue = status) throws -> [String] {
            let complete = rule.merging(["route": [Self.destination("reviews", "v1")]]) { own, _ in own }
            return try Self.routes(Self.mesh(.object(complete), status: status))
        }
        #expect(try routes(["name": "m"]) == ["m: reviews/v2:80 10000"])
        #expect(try routes(["name": "m", "match": header]) == ["m: reviews/v1:80 10000"])
        #expect(
            try routes(["name": "pin", "match": header]) == ["pin: reviews/v2:80 10000"], "the release has named it")
        #expect(try routes(["name": "m"], ["stableVersion": "v2"]) == ["m: reviews/v1:80 10000"], "it is not retired")
        #expect(
            try routes(["name": "m"], ["stableVersion": "v1", "promotions": [["from": "v2"]]]) == [
                "m: reviews/v1:80 10000"
            ])
        var state = try Self.mesh(["name": "m", "route": [Self.destination("reviews")]], status: status)
        state.virtualServices[try MeshDocument.namespaced("ops/console")] = .init(
            spec: try MeshDocument.spec([
                "hosts": ["console"], "http": [["name": "c", "route": [Self.destination("reviews.shop", "v1")]]],
            ]), createTime: Timestamp(microseconds: 0))
        #expect(try Self.routes(state, of: "ops/console") == ["c: reviews/v1:80 10000"])
    }

    @Test("what requests are hashed by is said once, in the order of the destinations")
    func hashing() throws {
        func hash(_ host: String, _ source: JSONValue) -> JSONValue {
            ["spec": ["host": .string(host), "trafficPolicy": ["loadBalancer": ["consistentHash": source]]]]
        }
        let rule: JSONValue = [
            "name": "m",
            "route": [
                Self.destination("reviews", "v1", weight: 30), Self.destination("reviews", "v2", weight: 30),
                Self.destination("pages", weight: 40),
            ],
        ]
        func hashOn(_ pages: JSONValue) throws -> [ConsistentHash.Source] {
            let state = try Self.mesh(
                rule,
                destinationRules: [
                    "shop/a": hash("reviews", ["httpHeaderName": "x-user"]), "shop/b": hash("pages", pages),
                ])
            let host = Host.service(try MeshDocument.namespaced("shop/reviews"))
            guard case .forward(let forward)? = Compiler(state).virtualHosts(of: host).first?.routes.first?.action
            else { return [] }
            return forward.hashOn
        }
        #expect(try hashOn(["httpHeaderName": "x-user"]) == [.header("x-user")])
        #expect(try hashOn(["useSourceIp": true]) == [.header("x-user"), .sourceIP])
    }

    @Test("retries that say nothing of when are the standard ones; a timeout of nothing is none")
    func settings() throws {
        func settings(_ rule: [String: JSONValue]) throws -> ForwardSettings {
            ForwardSettings(
                try MeshDocument.spec(.object(rule.merging(["route": [Self.destination("reviews")]]) { $1 })))
        }
        let standard = HTTPRetries.standard
        #expect(try settings([:]).retries == standard && settings([:]).timeout == nil)
        #expect(try settings(["retries": ["attempts": 5]]).retries.conditions == standard.conditions)
        #expect(try settings(["retries": ["attempts": 5, "retryOn": "503"]]).retries.conditions == [])
        #expect(try settings(["retries": ["attempts": 5, "retryOn": "reset"]]).retries.conditions == ["reset"])
        #expect(try settings(["timeout": "0s"]).timeout == nil && settings(["timeout": "1s"]).timeout == .seconds(1))
    }

    @Test("rules for gateways are told once, by whether anybody follows them")
    func gateways() throws {
        func told(_ hosts: [JSONValue], _ gateways: [JSONValue]) throws -> [String] {
            let state = try MeshDocument.read([
                "services": ["shop/reviews": Self.service(), "shop/pages": Self.service()],
                "virtualServices": [
                    "shop/rules": [
                        "spec": [
                            "hosts": .array(hosts), "gateways": .array(gateways),
                            "http": [["route": [Self.destination("reviews")]]],
                        ]
                    ]
                ],
            ])
            return Compiler(state).diagnostics.filter { $0.code == .unsupported }.map { "\($0.pointer) \($0.severity)" }
        }
        let both: [JSONValue] = ["reviews", "pages"]
        #expect(try told(both, []) == [] && told(both, ["mesh"]) == [])
        #expect(try told(both, ["ingress"]) == ["/spec/gateways/0 notInForce"])
        #expect(try told(both, ["mesh", "ingress"]) == ["/spec/gateways/1 notice"])
        #expect(try told(["pages", "reviews"], ["ingress", "mesh"]) == ["/spec/gateways/0 notice"])
    }

    @Test("shares of nothing are left out, and neighbours for one destination become one")
    func shares() throws {
        let reviews = Host.service(try MeshDocument.namespaced("shop/reviews"))
        var headers = HeaderOperations()
        headers.request.set = ["a": "b"]
        func share(_ port: Int, _ weight: Int, _ headers: HeaderOperations = HeaderOperations()) -> IR.Share {
            IR.Share(cluster: IR.ClusterName(host: reviews, port: port, version: nil), weight: weight, headers: headers)
        }
        let merged = IR.Share.merged([
            share(80, 1), share(81, 0), share(80, 2), share(81, 3), share(80, 4), share(80, 5, headers),
            share(80, 6, headers),
        ])
        #expect(merged == [share(80, 3), share(81, 3), share(80, 4), share(80, 11, headers)])
        #expect(IR.Share.merged([share(80, 0)]).isEmpty)
    }
}
