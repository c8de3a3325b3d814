import Documents
import Foundation
import HTTPFixtures
import MeshLab
import TestSupport
import Testing

/// Channels of real servers.
@Suite("Notifications")
struct NotificationTests {
    private static let namespace = "/v1/tenants/acme/meshes/default/namespaces/shop"

    /// Makes a release that tells channels, and starts it.
    private static func start(_ api: APIClient, telling urls: [String: String]) async throws {
        let service: JSONValue = [
            "ports": [["name": "http", "port": 9080]], "versions": [["name": "v1"], ["name": "v2"]],
        ]
        let release: JSONValue = [
            "service": "reviews", "stable": ["version": "v1"], "canary": ["version": "v2"],
            "strategy": ["type": "canary", "steps": [["setWeight": 10_000]]],
            "notifications": .array(
                urls.keys.sorted().map { ["channel": .string($0), "events": ["Started", "Aborted"]] }),
        ]
        try await api.put("/v1/tenants/acme", ["spec": [:]]).expectingSuccess("tenant")
        try await api.put("\(namespace)/services/reviews", ["spec": service]).expectingSuccess("service")
        for (name, url) in urls {
            func reference(_ key: String) -> JSONValue { ["secretRef": ["name": .string(name), "key": .string(key)]] }
            let secret: JSONValue = ["type": "opaque", "data": ["url": .string(url), "sign": "whsec_c2VjcmV0"]]
            let channel: JSONValue = ["type": "json", "urlFrom": reference("url"), "signFrom": reference("sign")]
            try await api.put("\(namespace)/secrets/\(name)", ["spec": secret]).expectingSuccess("secret")
            try await api.put("\(namespace)/notificationChannels/\(name)", ["spec": channel]).expectingSuccess(
                "channel")
        }
        try await api.put("\(namespace)/releases/r", ["spec": release]).expectingSuccess("release")
        try await api.post("\(namespace)/releases/r:start").expectingSuccess("start")
    }

    private static func ids(_ server: ScriptedServer) -> [String] {
        server.requests.compactMap { request in
            request.split(separator: "\r\n").first { $0.hasPrefix("webhook-id: ") }.map(String.init)
        }
    }

    @Test("A server that is killed while a message is on its way sends the same again, and the rest after it")
    func killed() async throws {
        try await ScriptedServer.run(.hold("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) { receiver in
            try await TestTools.withDirectory { directory in
                var options = try KillingTests.options(directory)
                options.environment["SLUICE_EGRESS_ALLOW"] = "127.0.0.0/8"
                let first = try await Server(options)
                do {
                    try await Self.start(first.api, telling: ["ops": receiver.url + "/hunter2"])
                    try await eventually("the message is on its way") { receiver.held == 1 }
                } catch {
                    await first.stop()
                    throw error
                }
                first.process.signal(SIGKILL)
                try await eventually("the server is dead") { !first.process.isRunning }
                receiver.release()
                try await TestTools.stopping(Server(options)) { second in
                    // As soon as the dead one's claim has ended.
                    try await eventually(within: .seconds(90), "the message comes again") {
                        Self.ids(receiver).count == 2
                    }
                    let ids = Self.ids(receiver)
                    #expect(ids[0] == ids[1] && ids[0].contains("/ops"))
                    #expect(receiver.requests[1].contains("\r\nwebhook-signature: v1,"))
                    receiver.release()
                    try await second.api.post("\(Self.namespace)/releases/r:abort").expectingSuccess("abort")
                    try await eventually(within: .seconds(60), "the next message comes") {
                        receiver.release()
                        return receiver.requests.last?.contains(#""event":"Aborted""#) == true
                    }
                    #expect(Set(Self.ids(receiver)).count == 2)
                    let log = try String(contentsOfFile: second.process.log, encoding: .utf8)
                    #expect(!log.contains("hunter2"))
                }
            }
        }
    }

    @Test("A channel that hangs delays neither another one nor the release")
    func hanging() async throws {
        let ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        try await ScriptedServer.run(.hold(ok)) { slow in
            try await ScriptedServer.run(.answer(ok)) { quick in
                try await TestTools.withServer { _ in
                    ["SLUICE_EGRESS_ALLOW": "127.0.0.0/8"]
                } _: { server, _ in
                    try await Self.start(server.api, telling: ["slow": slow.url, "quick": quick.url])
                    try await eventually("the slow one has its message") { slow.held == 1 }
                    try await server.api.post("\(Self.namespace)/releases/r:abort").expectingSuccess("abort")
                    try await eventually("the release has ended") {
                        try await server.api.get("\(Self.namespace)/releases/r").body["status"]?["phase"] == "Aborted"
                    }
                    try await eventually("the quick one has all") {
                        quick.requests.last?.contains(#""event":"Aborted""#) == true
                    }
                    #expect(slow.held == 1 && slow.connections == 1)
                }
            }
        }
    }
}
