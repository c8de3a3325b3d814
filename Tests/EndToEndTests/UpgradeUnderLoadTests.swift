import Documents
import Foundation
import MeshLab
import PostgresServer
import Synchronization
import TestSupport
import Testing

/// Replicas of two versions on one database, and the way back; `make test-upgrade FROM=<revision>` builds the older one.
extension ReleaseUnderLoadTests {
    private static let binaryBefore = ProcessInfo.processInfo.environment["SLUICE_BINARY_BEFORE"]
    private static let seconds = LongRun.count("SLUICE_UPGRADE_SECONDS", else: 60)

    @Test(
        "The version before and this one share a database under load, and the version before takes over again: no request fails",
        .enabled(if: binaryBefore != nil))
    func upgradeAndBack() async throws {
        let before = try #require(Self.binaryBefore)
        try await TestTools.withDirectory { directory async throws in
            let other = directory + "/second"
            try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
            let token = "an-administrator-of-two-versions"
            let first = try Server.Options(binary: before, directory: directory, token: token)
            try await TestTools.stopping(Server(first)) { older async throws in
                let second = try Server.Options(
                    binary: TestTools.sluice(), directory: other, token: token,
                    databaseURL: Self.database(of: directory).connectionString, name: "second")
                let newer = try await Server(second)
                try await ReviewsMesh.run(
                    api: newer.api, envoy: TestTools.envoy(), directory: directory, otherReplicas: [first.xdsPort]
                ) { mesh in
                    try await withLoad(mesh) { _ in
                        let users = try await Editors.run([older.api, newer.api], for: .seconds(Self.seconds))
                        // Rules that the older one wrote are users for the newer one too.
                        let found = try await newer.api.get(mesh.object("services/reviews:references"))
                            .expectingSuccess("users of reviews").body["usedBy"]
                        let names = Set((found?.arrayValue ?? []).compactMap { $0["object"]?["name"]?.stringValue })
                        #expect(users.count == 2 && names.isSuperset(of: users), "\(users) \(names)")

                        await newer.stop()
                        var third = second
                        third.binary = before
                        third.name = "second-again"
                        try await TestTools.stopping(Server(third)) { again async throws in
                            try await eventually("all proxies are in step") {
                                try await mesh.isInStep(accordingTo: again.api)
                            }
                            try await Editors.run([older.api, again.api], for: .seconds(Self.seconds / 4))
                            for api in [older.api, again.api] {
                                for user in users {
                                    try await api.get(mesh.object("virtualServices/\(user)")).expectingSuccess(user)
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// What a sidecar has was hashed by the version before, and is what this one would send.
    @Test(
        "Sidecars that go over from the version before are sent nothing", .enabled(if: binaryBefore != nil),
        arguments: ["delta", "sotw"])
    func nothingNew(_ variant: String) async throws {
        let before = try #require(Self.binaryBefore)
        try await TestTools.withDirectory { directory async throws in
            let other = directory + "/second"
            try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
            let token = "an-administrator-of-two-versions"
            let first = try Server.Options(binary: TestTools.sluice(), directory: directory, token: token)
            try await TestTools.stopping(Server(first)) { newer async throws in
                let second = try Server.Options(
                    binary: before, directory: other, token: token,
                    databaseURL: Self.database(of: directory).connectionString, name: "second")
                let older = try await Server(second)
                try await ReviewsMesh.run(
                    api: older.api, envoy: TestTools.envoy(), directory: directory, variant: variant,
                    otherReplicas: [first.xdsPort], edit: TestTools.withAllStatistics
                ) { mesh in
                    try await eventually("all proxies are in step") { try await mesh.isInStep(accordingTo: older.api) }
                    let had = try await Self.received(by: mesh.caller, variant)
                    #expect(had.count > 7, "\(had)")
                    await older.stop()
                    try await eventually("they have gone over") { try await mesh.isInStep(accordingTo: newer.api) }
                    let has = try await Self.received(by: mesh.caller, variant)
                    #expect(has == had)
                }
            }
        }
    }

    /// Each resource that an Envoy has been sent, with its version and the time at which it came, and how often endpoints came.
    ///
    /// In state of the world whoever comes back is answered what there is, and leaves it aside if the version is the same; only
    /// endpoints are counted again, so those are left out.
    private static func received(by sidecar: Sidecar, _ variant: String) async throws -> Set<String> {
        var found: Set<String> = []
        func look(at value: JSONValue) {
            if let time = value["last_updated"]?.stringValue {
                let resource =
                    value["cluster"] ?? value["route_config"] ?? value["endpoint_config"] ?? value["listener"]
                let name = (resource?["name"] ?? resource?["cluster_name"])?.stringValue ?? ""
                found.insert("\(name) \(value["version_info"]?.stringValue ?? "") \(time)")
            }
            for member in value.objectValue?.values ?? [:].values { look(at: member) }
            for element in value.arrayValue ?? [] { look(at: element) }
        }
        look(at: try await sidecar.adminJSON("/config_dump?include_eds"))
        guard variant == "delta" else { return found }
        let updates = try await sidecar.admin("/stats?filter=^cluster.outbound.*update_success$").split(separator: "\n")
        return found.union(updates.map(String.init))
    }
}

/// People and scripts that change a mesh through several replicas at once. Every call has to succeed, or to be refused for the
/// reason that it is made for.
private final class Editors: Sendable {
    private static let shop = "/v1/tenants/acme/meshes/default/namespaces/shop"
    /// Of each replica.
    private static let editors = 2

    private let replicas: [APIClient]
    private let failures = Mutex<[String]>([])
    private let calls = Mutex(0)

    private init(_ replicas: [APIClient]) { self.replicas = replicas }

    /// - Returns: the VirtualServices that are left behind, one by each replica; they send requests to `reviews`.
    @discardableResult
    static func run(_ replicas: [APIClient], for time: Duration) async throws -> [String] {
        let editors = Editors(replicas)
        let end = ContinuousClock.now + time
        await withTaskGroup(of: Void.self) { group in
            for (index, replica) in replicas.enumerated() {
                group.addTask {
                    var round = 0
                    while ContinuousClock.now < end {
                        await editors.editShared(round, through: replica)
                        round += 1
                    }
                }
                for number in 0..<Self.editors {
                    group.addTask {
                        var round = 0
                        while ContinuousClock.now < end {
                            // Others see what this one has written.
                            let witness = replicas[(index + round) % replicas.count]
                            await editors.edit("s\(index)-\(number)-\(round % 7)", through: replica, witness)
                            round += 1
                        }
                    }
                }
            }
        }
        var left: [String] = []
        for (index, replica) in replicas.enumerated() {
            let name = "left-\(index)"
            let service: JSONValue = ["spec": ["ports": [["name": "http", "port": 9080, "protocol": "HTTP"]]]]
            try await replica.put("\(shop)/services/\(name)", service).expectingSuccess(name)
            try await replica.put("\(shop)/virtualServices/\(name)", rules(for: name, v1: 1)).expectingSuccess(name)
            left.append(name)
        }
        let (failures, calls) = (editors.failures.withLock { $0 }, editors.calls.withLock { $0 })
        #expect(failures == [], "of \(calls) calls")
        #expect(calls > Int(time / .seconds(1)))
        return left
    }

    /// Makes a service with all that belongs to it, changes it, and takes it away again.
    private func edit(_ name: String, through replica: APIClient, _ witness: APIClient) async {
        let (service, rules) = ("\(Self.shop)/services/\(name)", "\(Self.shop)/virtualServices/\(name)")
        let policies = "\(Self.shop)/destinationRules/\(name)"
        let ports: JSONValue = [["name": "http", "port": 9080, "protocol": "HTTP"]]
        let versions: JSONValue = [["name": "v1"], ["name": "v2"]]
        await expect([201], replica, "PUT", service, ["spec": ["ports": ports, "versions": versions]])
        for version in ["v1", "v2"] {
            await expect(
                [201], replica, "PUT", "\(service)/endpoints/\(version)",
                [
                    "spec": [
                        "cluster": "dev", "address": "127.0.0.1", "ports": ["http": 9], "version": .string(version),
                    ]
                ])
        }
        await expect([201], replica, "PUT", rules, Self.rules(for: name, v1: 90))
        await expect([201], replica, "PUT", policies, ["spec": ["host": .string(name), "subsets": [["name": "v1"]]]])
        for weight: Int64 in [50, 10] { await expect([200], replica, "PUT", rules, Self.rules(for: name, v1: weight)) }
        // Whoever wrote the users, and in whatever version of the server.
        await expect([409], witness, "DELETE", service)
        await expect([409], witness, "PUT", service, ["spec": ["ports": ports, "versions": [["name": "v1"]]]])
        await expect([200], witness, "GET", "\(Self.shop)/virtualServices?pageSize=50")
        for path in [rules, policies, "\(service)/endpoints/v1", "\(service)/endpoints/v2", service] {
            await expect([204], replica, "DELETE", path)
        }
    }

    /// Changes what all editors change, through all replicas.
    private func editShared(_ round: Int, through replica: APIClient) async {
        let name = "shared-\(round % 2)"
        let ports: JSONValue = [["name": "http", "port": 9080, "protocol": "HTTP"]]
        let versions: JSONValue = [["name": "v1", "labels": ["round": .string("\(round)")]], ["name": "v2"]]
        let service = "\(Self.shop)/services/\(name)"
        await expect([200, 201], replica, "PUT", service, ["spec": ["ports": ports, "versions": versions]])
        await expect(
            [200, 201], replica, "PUT", "\(service)/endpoints/e",
            [
                "spec": [
                    "cluster": "dev", "address": "127.0.0.1", "ports": ["http": .integer(Int64(1 + round % 9))],
                    "version": round.isMultiple(of: 3) ? "v1" : "v2",
                ]
            ])
        await expect([200, 201], replica, "PUT", "\(Self.shop)/virtualServices/\(name)", Self.rules(for: name, v1: 30))
        await expect([409], replica, "DELETE", service)
    }

    /// Divides the requests of a service between its versions, with copies to `reviews`.
    private static func rules(for host: String, v1: Int64) -> JSONValue {
        guard v1 > 1 else {
            return ["spec": ["hosts": [.string(host)], "http": [["route": [["destination": ["host": "reviews"]]]]]]]
        }
        let routes = [("v1", v1), ("v2", 100 - v1)].map { version, weight -> JSONValue in
            [
                "destination": ["host": .string(host), "subset": .string(version)], "weight": .integer(weight),
            ]
        }
        return [
            "spec": [
                "hosts": [.string(host)], "http": [["route": .array(routes), "mirror": ["host": "reviews"]]],
            ]
        ]
    }

    private func expect(
        _ statuses: [Int], _ replica: APIClient, _ method: String, _ path: String, _ body: JSONValue? = nil
    ) async {
        calls.withLock { $0 += 1 }
        let outcome: String
        do {
            let mayBeNew = statuses.contains(201) || method == "GET"
            var answer = try await replica.send(method, path, body, mayBeNew ? [:] : ["If-Match": "*"])
            if answer.status == 428, statuses.contains(200) {
                answer = try await replica.send(method, path, body, ["If-Match": "*"])
            }
            if statuses.contains(answer.status) { return }
            outcome = "\(answer.status) \(answer.text.prefix(300))"
        } catch {
            outcome = "\(error)"
        }
        failures.withLock { if $0.count < 20 { $0.append("\(method) \(path): \(outcome)") } }
    }
}
