import Documents
import MeshLab
import TestSupport
import Testing

/// Some hundred users through real releases on a real Envoy: who is on which version, while the canary's share grows, after it has
/// gone back, and in the next release.
@Suite("Users stay on a version while a release moves traffic", .serialized)
struct StickyReleaseTests {
    /// What tells users apart: a service each, of which the first sends a fifth of its requests to another service.
    private enum Key: String, CaseIterable {
        case header, cookie, address

        var stickiness: JSONValue {
            switch self {
            case .header:
                ["source": ["header": "X-User"], "fallback": ["cookie": ["name": "visitor", "ttl": "1h"]]]
            case .cookie: ["source": ["cookie": ["name": "user"]]]
            case .address: ["source": ["sourceAddress": true]]
            }
        }

        func request(_ user: Int) -> Caller.Request {
            switch self {
            case .header: Caller.Request(headers: [("x-user", "user-\(user)")])
            case .cookie: Caller.Request(headers: [("cookie", "theme=dark; user=user-\(user)")])
            case .address: Caller.Request(headers: [("x-forwarded-for", "192.0.2.1, 10.1.\(user / 250).\(user % 250)")])
            }
        }

        /// Of the requests, in per cent.
        var share: Int { self == .header ? 80 : 100 }
    }

    private static let mesh = "/v1/tenants/acme/meshes/default"
    private static let home = "\(mesh)/namespaces/x"
    private static let users = 300

    @Test(
        "they go to the canary only as its share grows, come back with the rollback, and are the same ones in the next release",
        arguments: TestTools.Envoy.allCases, ["delta", "sotw"])
    func cohorts(_ envoy: TestTools.Envoy, _ variant: String) async throws {
        let workloads = try ["v1", "v2", "other"].map { Workload(version: $0, port: try FreePort.next()) }
        try await Self.withCaller(envoy, variant, workloads) { api, caller in
            try await Self.register(workloads, api)
            try await Self.tell(api, caller)
        }
    }

    @Test(
        "who is told apart by what a destination's requests are hashed by stays on a version, and at an endpoint of it",
        arguments: TestTools.Envoy.allCases)
    func endpoints(_ envoy: TestTools.Envoy) async throws {
        let names = ["v1", "v2"].flatMap { version in (0..<3).map { "\(version)-\($0)" } }
        let workloads = try names.map { Workload(version: $0, port: try FreePort.next()) }
        try await Self.withCaller(envoy, "delta", workloads) { api, caller in
            try await Self.registerCarts(workloads, api)
            try await eventually("new callers are given a cookie") {
                try await caller.send(Caller.Request(), to: "carts").headers["set-cookie"] != nil
            }
            let path = "\(Self.home)/releases/carts"
            let spec: JSONValue = [
                "service": "carts", "stable": ["version": "v1"], "canary": ["version": "v2"],
                "strategy": [
                    "type": "canary", "steps": [["setWeight": 5000], ["pause": [:]]],
                    "trafficRouting": ["stickiness": ["source": ["cookie": ["name": "cart"]]]],
                ],
            ]
            try await api.put(path, ["spec": spec]).expectingSuccess("release")
            try await api.post("\(path):start", ["force": true]).expectingSuccess("start")
            try await eventually("the release stands at its pause") {
                try await api.get(path).body["status"]?["phase"] == "Paused"
            }
            var seen: Set<String> = []
            for _ in 0..<60 {
                let first = try await caller.send(Caller.Request(), to: "carts")
                let cookie = try #require(first.headers["set-cookie"])
                #expect(
                    cookie.hasPrefix("cart=") && cookie.hasSuffix("; Path=/cart; HttpOnly"), "given once: \(cookie)")
                let kept = Caller.Request(headers: [("cookie", String(cookie.prefix { $0 != ";" }))])
                for _ in 0..<3 {
                    let next = try await caller.send(kept, to: "carts")
                    #expect(next.version == first.version && next.headers["set-cookie"] == nil, "\(cookie)")
                }
                seen.insert(first.version ?? "\(first.status)")
            }
            #expect(seen == Set(names))
        }
    }

    private static func withCaller(
        _ envoy: TestTools.Envoy, _ variant: String, _ workloads: [Workload],
        _ body: @Sendable (APIClient, Caller) async throws -> Void
    ) async throws {
        try await TestTools.withServer { server, directory in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for workload in workloads { group.addTask { try await workload.run() } }
                defer { group.cancelAll() }
                try await registerCluster(server.api)
                let sidecar = try await Sidecar(
                    name: "caller", service: "caller", namespace: "x", cluster: "dev", mesh: mesh, api: server.api,
                    envoy: TestTools.envoy(envoy), directory: directory, variant: variant)
                do {
                    try await Caller.run(proxy: sidecar.httpProxyPort) { caller in try await body(server.api, caller) }
                } catch {
                    await sidecar.stop()
                    throw error
                }
                await sidecar.stop()
            }
        }
    }

    private static func tell(_ api: APIClient, _ caller: Caller) async throws {
        try await eventually("the sidecar has the services") {
            for key in Key.allCases where try await caller.send(key.request(0), to: key.rawValue).status != 200 {
                return false
            }
            return true
        }
        let weights: [Int] = [100, 1000, 5000]
        var cohorts: [Key: [Set<Int>]] = [:]
        try await start("first", weights, api)
        for (step, weight) in weights.enumerated() {
            try await stand("first", at: step, api)
            for key in Key.allCases {
                let versions = try await versions(of: key, caller)
                #expect(try await self.versions(of: key, caller) == versions, "\(key) at \(weight): asked again")
                let canary = Set(versions.indices.filter { versions[$0] == "v2" })
                let others = Set(versions.indices.filter { versions[$0] == "other" })
                expect(canary.count, share: weight * key.share, "\(key) at \(weight)")
                expect(others.count, share: (100 - key.share) * 10_000, "\(key) at \(weight), of the other service")
                if let before = cohorts[key] {
                    #expect(canary.isSuperset(of: before[before.count - 2]), "\(key) at \(weight): someone went back")
                    #expect(others == before[before.count - 1], "\(key) at \(weight): the other service's are others")
                }
                cohorts[key, default: []] += [canary, others]
            }
            try await expectVisitorsToStay(weight, caller)
            if weight < 5000 { try await go("first", api) }
        }
        try await expectStrangersAnywhere(caller)

        try await post("first:rollback", ["reason": "as a test"], api)
        try await reach("first", "RolledBack", api)
        for key in Key.allCases {
            #expect(Set(try await versions(of: key, caller)).isDisjoint(with: ["v2"]), "\(key): rolled back")
        }

        try await start("second", [5000, 10_000], api)
        try await stand("second", at: 0, api)
        for key in Key.allCases {
            let versions = try await versions(of: key, caller)
            let before = try #require(cohorts[key])
            #expect(
                Set(versions.indices.filter { versions[$0] == "v2" }) == before[before.count - 2], "\(key): other users"
            )
        }
        try await go("second", api)
        try await stand("second", at: 1, api)
        for key in Key.allCases {
            #expect(Set(try await versions(of: key, caller)).isDisjoint(with: ["v1"]), "\(key): all on the canary")
        }
        try await go("second", api)
        try await reach("second", "Succeeded", api)
        for key in Key.allCases {
            #expect(Set(try await versions(of: key, caller)).isDisjoint(with: ["v1"]), "\(key): promoted")
        }
    }

    // MARK: - Who is where

    /// The version that answers each of the users.
    private static func versions(of key: Key, _ caller: Caller) async throws -> [String] {
        try await withThrowingTaskGroup(of: [(Int, String)].self) { group in
            for worker in 0..<6 {
                group.addTask {
                    var seen: [(Int, String)] = []
                    for user in stride(from: worker, to: users, by: 6) {
                        let answer = try await caller.send(key.request(user), to: key.rawValue)
                        seen.append((user, answer.version ?? "\(answer.status)"))
                    }
                    return seen
                }
            }
            return try await group.reduce(into: [(Int, String)]()) { $0 += $1 }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// - Parameter share: millionths of the users, who are within five standard deviations of as many.
    private static func expect(_ count: Int, share: Int, _ what: String) {
        let part = Double(share) / 1_000_000
        let mean = part * Double(users)
        let deviation = (mean * (1 - part)).squareRoot()
        #expect(abs(Double(count) - mean) <= max(5 * deviation, 0.5), "\(what): \(count) of \(users)")
    }

    /// Who has no header is given a cookie once, and stays where that first request went.
    private static func expectVisitorsToStay(_ weight: Int, _ caller: Caller) async throws {
        var canary = 0
        for _ in 0..<60 {
            let first = try await caller.send(Caller.Request(), to: "header")
            let cookie = try #require(first.headers["set-cookie"])
            #expect(cookie.hasPrefix("visitor=") && cookie.hasSuffix("; Path=/; Max-Age=3600; HttpOnly"), "\(cookie)")
            if first.version == "v2" { canary += 1 }
            let kept = String(cookie.prefix { $0 != ";" })
            for _ in 0..<3 {
                let next = try await caller.send(Caller.Request(headers: [("cookie", "a=b; \(kept)")]), to: "header")
                #expect(next.headers["set-cookie"] == nil, "the cookie is given once")
                #expect(next.version == first.version, "at \(weight): \(kept)")
            }
            // A header comes before the cookie.
            let known = try await caller.send(
                Caller.Request(headers: [("cookie", kept), ("x-user", "user-1")]), to: "header")
            let user = try await caller.send(Key.header.request(1), to: "header")
            #expect(known.headers["set-cookie"] == nil && known.version == user.version)
        }
        if weight == 5000 { #expect((6...42).contains(canary), "\(canary) of 60 visitors; 24 are expected") }
    }

    /// Who has no key, and is given none, goes anywhere.
    private static func expectStrangersAnywhere(_ caller: Caller) async throws {
        var seen: Set<String> = []
        for _ in 0..<60 {
            let answer = try await caller.send(Caller.Request(), to: "cookie")
            #expect(answer.headers["set-cookie"] == nil)
            seen.insert(answer.version ?? "\(answer.status)")
        }
        #expect(seen == ["v1", "v2"])
    }

    // MARK: - Releases

    /// Of all services.
    private static func start(_ name: String, _ weights: [Int], _ api: APIClient) async throws {
        for key in Key.allCases {
            let steps = weights.flatMap { [["setWeight": .integer(Int64($0))], ["pause": [:]]] as [JSONValue] }
            let spec: JSONValue = [
                "service": .string(key.rawValue), "stable": ["version": "v1"], "canary": ["version": "v2"],
                "retainStable": "0s",
                "strategy": [
                    "type": "canary", "steps": .array(steps), "trafficRouting": ["stickiness": key.stickiness],
                ],
            ]
            try await api.put("\(home)/releases/\(key)-\(name)", ["spec": spec]).expectingSuccess("release of \(key)")
        }
        try await post("\(name):start", ["force": true], api)
    }

    private static func post(_ verb: String, _ body: JSONValue, _ api: APIClient) async throws {
        for key in Key.allCases {
            try await api.post("\(home)/releases/\(key)-\(verb)", body).expectingSuccess("\(verb) of \(key)")
        }
    }

    private static func go(_ name: String, _ api: APIClient) async throws {
        try await post("\(name):promote", ["to": "next"], api)
    }

    /// Waits until all stand at the pause behind a weight.
    private static func stand(_ name: String, at step: Int, _ api: APIClient) async throws {
        try await wait(name, "Paused", api) { $0["currentStep"]?["index"] == .integer(Int64(2 * step + 1)) }
    }

    private static func reach(_ name: String, _ phase: String, _ api: APIClient) async throws {
        try await wait(name, phase, api) { _ in true }
    }

    private static func wait(
        _ name: String, _ phase: String, _ api: APIClient, _ holds: @Sendable (JSONValue) -> Bool
    ) async throws {
        for key in Key.allCases {
            try await eventually(within: .seconds(60), "release \(name) of \(key) is \(phase)") {
                let status = try await api.get("\(home)/releases/\(key)-\(name)").body["status"] ?? .null
                return status["phase"] == .string(phase) && holds(status)
            }
        }
    }

    // MARK: - Services

    private static func registerCluster(_ api: APIClient) async throws {
        try await api.put("/v1/tenants/acme", ["spec": ["displayName": "Acme"]]).expectingSuccess("tenant")
        let cluster: JSONValue = ["spec": ["kind": "universal", "mesh": ["enabled": true]]]
        try await api.put("/v1/tenants/acme/clusters/dev", cluster).expectingSuccess("cluster")
    }

    /// A service whose endpoints keep sessions.
    private static func registerCarts(_ workloads: [Workload], _ api: APIClient) async throws {
        let path = "\(home)/services/carts"
        let port: JSONValue = ["name": "http", "port": 80, "protocol": "HTTP"]
        try await api.put(path, ["spec": ["ports": [port], "versions": [["name": "v1"], ["name": "v2"]]]])
            .expectingSuccess("service")
        for workload in workloads {
            let endpoint: JSONValue = [
                "cluster": "dev", "address": "127.0.0.1", "ports": ["http": .integer(Int64(workload.port))],
                "version": .string(String(workload.version.prefix { $0 != "-" })),
            ]
            try await api.put("\(path)/endpoints/\(workload.version)", ["spec": endpoint]).expectingSuccess("endpoint")
        }
        let hash: JSONValue = ["httpCookie": ["name": "cart", "ttl": "0s", "path": "/cart"]]
        let spec: JSONValue = ["host": "carts", "trafficPolicy": ["loadBalancer": ["consistentHash": hash]]]
        try await api.put("\(home)/destinationRules/carts", ["spec": spec]).expectingSuccess("destination rule")
    }

    private static func register(_ workloads: [Workload], _ api: APIClient) async throws {
        let port: JSONValue = ["name": "http", "port": 80, "protocol": "HTTP"]
        for name in Key.allCases.map(\.rawValue) + ["other"] {
            let path = "\(home)/services/\(name)"
            let versions: JSONValue = name == "other" ? [] : [["name": "v1"], ["name": "v2"]]
            try await api.put(path, ["spec": ["ports": [port], "versions": versions]]).expectingSuccess(name)
            for workload in workloads where (workload.version == "other") == (name == "other") {
                let endpoint: JSONValue = .fields([
                    "cluster": "dev", "address": "127.0.0.1", "ports": ["http": .integer(Int64(workload.port))],
                    "version": name == "other" ? nil : .string(workload.version),
                ])
                try await api.put("\(path)/endpoints/\(workload.version)", ["spec": endpoint]).expectingSuccess(
                    "endpoint")
            }
        }
        let rule: JSONValue = [
            "route": [
                ["destination": ["host": "header"], "weight": 80], ["destination": ["host": "other"], "weight": 20],
            ]
        ]
        try await api.put("\(home)/virtualServices/header", ["spec": ["hosts": ["header"], "http": [rule]]])
            .expectingSuccess("rules")
    }
}
