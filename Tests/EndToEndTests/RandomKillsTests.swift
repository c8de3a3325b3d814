import Documents
import Foundation
import MeshLab
import MeshModel
import PostgresServer
import Synchronization
import TestSupport
import Testing

/// What was acknowledged is there, once, whatever was killed since.
extension KillingTests {
    private enum Victim: CaseIterable {
        case first, second, replicas, databaseConnection, database, everything
    }

    /// `SLUICE_KILLS`: how many.
    private static let kills = LongRun.count("SLUICE_KILLS", else: 6)

    @Test(
        "Replicas and PostgreSQL are killed at random under writes: what was acknowledged is there, and a release ends")
    func randomKills() async throws {
        try await TestTools.withDirectory { directory async throws in
            // Other moments each time; a seed would not bring them back.
            let seed = UInt64.random(in: 0 ... .max)
            var random = SeededGenerator(seed: seed)
            var options = [try Self.options(directory)]
            let other = directory + "/second"
            try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
            let database = try ReleaseUnderLoadTests.database(of: directory)
            options.append(try Self.options(other, name: "second"))
            options[1].databaseURL = database.connectionString
            let apis = options.map { APIClient(base: "http://127.0.0.1:\($0.httpPort)", token: $0.token) }

            var replicas: [ChildProcess] = []
            defer { for replica in replicas { replica.signal(SIGTERM) } }
            for each in options { replicas.append(try Server.launch(each)) }
            try await Self.ready(apis)
            let release = try await Self.startRelease(apis[0])

            let writers = (0..<4).map { Writer(id: $0, replicas: apis) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in writers { group.addTask { try await writer.run() } }
                for round in 0..<Self.kills {
                    // At any moment: after so many more writes.
                    let goal = writers.acknowledged + Int.random(in: 1...40, using: &random)
                    try await eventually(within: .seconds(60), "writes go on (seed \(seed), round \(round))") {
                        writers.acknowledged >= goal || writers.contains(where: \.hasEnded)
                    }
                    guard !writers.contains(where: \.hasEnded) else { break }
                    let victim = Victim.allCases.randomElement(using: &random) ?? .first
                    var pids: [Int32] = []
                    if [.first, .replicas, .everything].contains(victim) { pids.append(replicas[0].pid) }
                    if [.second, .replicas, .everything].contains(victim) { pids.append(replicas[1].pid) }
                    if let postmaster = database.processID {
                        if [.database, .everything].contains(victim) { pids.append(postmaster) }
                        let children = Self.children(of: postmaster)
                        if victim == .databaseConnection {
                            pids += children.randomElement(using: &random).map { [$0] } ?? []
                        }
                    }
                    for pid in pids.shuffled(using: &random) { kill(pid, SIGKILL) }
                    for (index, replica) in replicas.enumerated() where pids.contains(replica.pid) {
                        try await eventually("it is gone") { !replica.isRunning }
                        replicas[index] = try Server.launch(options[index])
                    }
                }
                for writer in writers { writer.end() }
                try await group.waitForAll()
            }
            try await Self.ready(apis)
            for writer in writers { try await writer.check() }
            for api in apis {
                try await eventually(within: .seconds(60), "the release has ended (seed \(seed))") {
                    let status = try await api.get(release).body["status"] ?? .null
                    let phase = status["phase"]?.stringValue ?? ""
                    try #require(!["Failed", "RolledBack", "Aborted"].contains(phase), "\(status)")
                    return phase == "Succeeded"
                }
            }
            let events = try await apis[1].get("\(release)/events?pageSize=1000").body["items"]?.arrayValue ?? []
            let starts = events.filter { $0["type"] == "StepStarted" }.compactMap {
                $0["payload"]?["step"]?.integerValue
            }
            // Once each, in their order; the last is the promotion.
            #expect(starts == Array(0...Int64(Self.steps)), "seed \(seed)")
            for replica in replicas.reversed() { await replica.stop(grace: .seconds(15)) }
        }
    }

    private static let steps = 8

    private static func ready(_ apis: [APIClient]) async throws {
        for api in apis {
            try await eventually(within: .seconds(60), "\(api.base) is ready") {
                (try? await api.get("/readyz"))?.status == 200
            }
        }
    }

    /// - Returns: the path of a release that goes on by itself.
    private static func startRelease(_ api: APIClient) async throws -> String {
        let namespace = Writer.namespace
        try await api.put("/v1/tenants/acme", ["spec": [:]]).expectingSuccess("the tenant")
        let http: JSONValue = ["name": "http", "port": 9080, "protocol": "HTTP"]
        let versions: JSONValue = [["name": "v1"], ["name": "v2"]]
        try await api.put("\(namespace)/services/reviews", ["spec": ["ports": [http], "versions": versions]])
            .expectingSuccess("the service")
        let cluster: JSONValue = ["spec": ["kind": "universal", "mesh": ["enabled": true]]]
        try await api.put("/v1/tenants/acme/clusters/dev", cluster).expectingSuccess("the cluster")
        for (version, port) in [("v1", 20_001), ("v2", 20_002)] as [(String, Int64)] {
            let ports: JSONValue = ["http": .integer(port)]
            let endpoint = "\(namespace)/services/reviews/endpoints/\(version)"
            let spec: JSONValue = [
                "cluster": "dev", "address": "127.0.0.1", "ports": ports, "version": .string(version),
            ]
            try await api.put(endpoint, ["spec": spec]).expectingSuccess("the endpoint")
        }
        let path = "\(namespace)/releases/reviews-v2"
        let shares = (1...steps).map { JSONValue.object(["setWeight": .integer(Int64($0 * 10_000 / steps))]) }
        let plan: JSONValue = [
            "service": "reviews", "port": 9080, "stable": ["version": "v1"], "canary": ["version": "v2"],
            "strategy": ["type": "canary", "steps": .array(shares)], "retainStable": "1s",
        ]
        try await api.put(path, ["spec": plan]).expectingSuccess("the release")
        try await api.post("\(path):start", headers: ["Idempotency-Key": "start"]).expectingSuccess("the start")
        return path
    }
}

/// Counts up in an object of its own, through any replica, with `If-Match`, so that an acknowledged step that is lost, or
/// one that counts twice, is seen at the next one.
private final class Writer: Sendable {
    static let namespace = "/v1/tenants/acme/meshes/default/namespaces/shop"

    private let path: String
    private let replicas: [APIClient]
    private let state = Mutex(State())

    private struct State {
        var acknowledged = 0
        /// The last step that was tried.
        var tried = 0
        var isEnding = false
        var hasEnded = false
    }

    init(id: Int, replicas: [APIClient]) {
        path = "\(Self.namespace)/services/counter-\(id)"
        self.replicas = replicas
    }

    var acknowledged: Int { state.withLock(\.acknowledged) }
    var hasEnded: Bool { state.withLock(\.hasEnded) }
    func end() { state.withLock { $0.isEnding = true } }

    func run() async throws {
        defer { state.withLock { $0.hasEnded = true } }
        var tag: String?
        while !state.withLock(\.isEnding) {
            let count = acknowledged + 1
            state.withLock { $0.tried = count }
            // Each step is another spec, so that one that is done twice is seen at the generation.
            let port: JSONValue = ["name": "http", "port": .integer(Int64(count)), "protocol": "HTTP"]
            let body: JSONValue = ["spec": ["ports": [port]]]
            let headers = tag.map { ["If-Match": $0] } ?? ["If-None-Match": "*"]
            let answer = try? await replicas.randomElement()?.send("PUT", path, body, headers)
            switch answer?.status {
            case 200, 201:
                tag = answer?.headers["etag"]
                state.withLock { $0.acknowledged = count }
            // Not known whether it was done: no answer, the database went away, or a tag that is one step behind.
            case nil, 412, 503: tag = try await settle()
            default: throw LabError("\(path): \(answer?.status ?? 0) \(answer?.text ?? "")")
            }
        }
    }

    /// Finds out whether the last step was done.
    private func settle() async throws -> String? {
        var found: APIClient.Answer?
        try await eventually(within: .seconds(60), "\(path) is answered") {
            found = try? await self.replicas.randomElement()?.get(self.path)
            return found?.status == 200 || found?.status == 404
        }
        try accept(found)
        return found?.headers["etag"]
    }

    private func accept(_ answer: APIClient.Answer?) throws {
        let port = answer?.body["spec"]?["ports"]?.arrayValue?.first?["port"]?.integerValue
        let generation = answer?.body["metadata"]?["generation"]?.integerValue
        guard port == generation else {
            throw LabError("\(path) has port \(port ?? 0) at generation \(generation ?? 0)")
        }
        let count = port.map { Int($0) } ?? 0
        try state.withLock { state in
            guard count == state.acknowledged || count == state.tried else {
                throw LabError("\(path) is \(count); \(state.acknowledged) was acknowledged, \(state.tried) tried")
            }
            state.acknowledged = count
        }
    }

    /// Asks every replica.
    func check() async throws {
        for replica in replicas { try accept(try await replica.get(path)) }
        #expect(acknowledged > 0)
    }
}

extension [Writer] {
    fileprivate var acknowledged: Int { reduce(0) { $0 + $1.acknowledged } }
}
