import Documents
import MeshLab
import Testing

/// gRPC's own xDS client (A27 and following) against the server, without an Envoy.
@Suite("Proxyless gRPC", .serialized)
struct ProxylessTests {
    @Test("grpcio resolves xds:///reviews.shop:9080 and follows a release")
    func resolves() async throws {
        try await ProxylessMesh.run { mesh in
            // A client begins to call as soon as it is connected to one of them.
            try await eventually("all versions are called") {
                let before = try await mesh.call([["count": 60]])[0]
                #expect(before.errors.isEmpty, "\(before)")
                return Set(before.versions.keys) == ["v1", "v2", "v3"]
            }

            let path = "\(ProxylessMesh.path)/namespaces/shop/releases/reviews-v2"
            let plan: JSONValue = [
                "service": "reviews", "port": 9080, "stable": ["version": "v1"], "canary": ["version": "v2"],
                "strategy": ["type": "canary", "steps": [["setWeight": 10000], ["pause": [:]]]],
            ]
            try await mesh.api.put(path, ["spec": plan]).expectingSuccess("release")
            try await mesh.api.post("\(path):start", headers: ["Idempotency-Key": "start"]).expectingSuccess("start")
            try await eventually("the release waits at its pause") {
                try await mesh.api.get(path).body["status"]?["phase"] == "Paused"
            }
            #expect(try await mesh.call([["count": 40]])[0] == Self.all(40, to: "v2"))
        }
    }

    @Test("A release that keeps users on a version divides these clients' calls all the same, and keeps none")
    func keepsNobody() async throws {
        try await ProxylessMesh.run { mesh in
            let path = "\(ProxylessMesh.path)/namespaces/shop/releases/reviews-v2"
            let stickiness: JSONValue = [
                "source": ["header": "x-user"], "fallback": ["cookie": ["name": "visitor", "ttl": "1h"]],
            ]
            let plan: JSONValue = [
                "service": "reviews", "port": 9080, "stable": ["version": "v1"], "canary": ["version": "v2"],
                "strategy": [
                    "type": "canary", "steps": [["setWeight": 3000], ["pause": [:]]],
                    "trafficRouting": ["stickiness": stickiness],
                ],
            ]
            try await mesh.api.put(path, ["spec": plan]).expectingSuccess("release")
            let started = try await mesh.api.post("\(path):start", ["force": true]).expectingSuccess("start")
            #expect("\(started.body["warnings"] ?? .null)".contains("clients without a sidecar"))
            try await eventually("the release waits at its pause") {
                try await mesh.api.get(path).body["status"]?["phase"] == "Paused"
            }
            for metadata: JSONValue in [["x-user": "ann"], ["cookie": "visitor=1"], [:]] {
                let divided = try await mesh.call([["count": 1000, "metadata": metadata]])[0]
                #expect(divided.errors.isEmpty && divided.versions["v3"] == nil, "\(divided)")
                Self.expect(divided, "v2", share: 0.3)
            }
        }
    }

    @Test("Calls are divided by the weights of a rule")
    func weights() async throws {
        try await ProxylessMesh.run { mesh in
            try await mesh.setRules([["route": [Self.to("v1", weight: 20), Self.to("v2", weight: 80)]]])
            // Before, each version had a third.
            try await eventually("v3 gets nothing") {
                let versions = try await mesh.call([["count": 60]])[0].versions
                return versions["v3"] == nil && !versions.isEmpty
            }
            let divided = try await mesh.call([["count": 2000]])[0]
            #expect(divided.errors.isEmpty && divided.versions["v3"] == nil, "\(divided)")
            Self.expect(divided, "v1", share: 0.2)
        }
    }

    @Test("Calls follow rules on headers, cookies and methods")
    func matches() async throws {
        try await ProxylessMesh.run { mesh in
            try await mesh.setRules([
                ["match": [["headers": ["x-exact": ["exact": "insider"]]]], "route": [Self.to("v1")]],
                ["match": [["headers": ["x-prefix": ["prefix": "in"]]]], "route": [Self.to("v1")]],
                ["match": [["headers": ["x-regex": ["regex": "i.*r"]]]], "route": [Self.to("v1")]],
                ["match": [["headers": ["x-present": [:]]]], "route": [Self.to("v1")]],
                [
                    "match": [["headers": ["cookie": ["regex": "^(.*?;)?(user=jason)(;.*)?"]]]],
                    "route": [Self.to("v1")],
                ],
                ["match": [["uri": ["exact": "/sluice.test.Reviews/Other"]]], "route": [Self.to("v3")]],
                ["route": [Self.to("v2")]],
            ])
            let expected: [(call: JSONValue, version: String)] = [
                (["count": 3, "metadata": ["x-exact": "insider"]], "v1"),
                (["count": 3, "metadata": ["x-exact": "insiders"]], "v2"),
                (["count": 3, "metadata": ["x-prefix": "insiders"]], "v1"),
                (["count": 3, "metadata": ["x-prefix": "no insiders"]], "v2"),
                (["count": 3, "metadata": ["x-regex": "insider"]], "v1"),
                (["count": 3, "metadata": ["x-regex": "insiders"]], "v2"),
                (["count": 3, "metadata": ["x-present": "whatever"]], "v1"),
                (["count": 3, "metadata": ["cookie": "a=b;user=jason"]], "v1"),
                (["count": 3, "metadata": ["cookie": "user=jasons"]], "v2"),
                (["count": 3, "method": "Other"], "v3"),
                (["count": 3], "v2"),
            ]
            try await eventually("the rules have arrived") {
                try await mesh.call([["count": 3]])[0] == Self.all(3, to: "v2")
            }
            for (index, outcome) in try await mesh.call(expected.map(\.call)).enumerated() {
                #expect(outcome == Self.all(3, to: expected[index].version), "\(expected[index].call)")
            }
        }
    }

    /// gRPC's C core ends calls one to two seconds before a timeout that comes by configuration, of whatever source
    /// (grpc/grpc#40633), so the timeout here is long enough for that.
    @Test("A rule's timeout ends calls that have none, its retries and faults are carried out")
    func policies() async throws {
        try await ProxylessMesh.run { mesh in
            try await mesh.setRules([
                [
                    "match": [["headers": ["x-rule": ["exact": "timeout"]]]], "timeout": "4s",
                    "route": [Self.to("v1")],
                ],
                [
                    "match": [["headers": ["x-rule": ["exact": "never-again"]]]], "retries": ["attempts": 0],
                    "route": [Self.to("v1")],
                ],
                [
                    "match": [["headers": ["x-rule": ["exact": "fault"]]]],
                    "fault": ["abort": ["percentage": ["value": 100], "httpStatus": 403]], "route": [Self.to("v1")],
                ],
                ["route": [Self.to("v2")]],
            ])
            try await eventually("the rules have arrived") {
                try await mesh.call([["count": 3]])[0] == Self.all(3, to: "v2")
            }
            let outcomes = try await mesh.call([
                ["count": 3, "metadata": ["x-rule": "timeout"], "timeout": nil],
                ["count": 1, "metadata": ["x-rule": "timeout", "x-behave": "hang"], "timeout": nil],
                ["count": 3, "metadata": ["x-behave": "fail-once"]],
                ["count": 1, "metadata": ["x-rule": "never-again", "x-behave": "fail-once"]],
                ["count": 1, "metadata": ["x-rule": "fault"]],
            ])
            #expect(outcomes[0] == Self.all(3, to: "v1"))
            #expect(outcomes[1].errors == ["DEADLINE_EXCEEDED": 1], "\(outcomes[1])")
            #expect(outcomes[2] == Self.all(3, to: "v2"))
            #expect(outcomes[3].errors == ["UNAVAILABLE": 1], "\(outcomes[3])")
            #expect(outcomes[4].errors == ["PERMISSION_DENIED": 1], "\(outcomes[4])")
        }
    }

    @Test(
        "Calls are divided by the weights of endpoints, be they in one locality or several",
        arguments: [["north", "north", "north"], ["north", "south/1", "south/2/x"]])
    func endpoints(localities: [String]) async throws {
        let weights: [Int64] = [1, 3, 6]
        var endpoints: [String: [String: JSONValue]] = [:]
        for (index, version) in ProxylessMesh.versions.enumerated() {
            endpoints[version] = ["locality": .string(localities[index]), "weight": .integer(weights[index])]
        }
        try await ProxylessMesh.run(endpoints: endpoints) { mesh in
            try await eventually("all endpoints have arrived") {
                try await mesh.call([["count": 60]])[0].versions.count == 3
            }
            let divided = try await mesh.call([["count": 2000]])[0]
            #expect(divided.errors.isEmpty, "\(divided)")
            for (version, weight) in zip(ProxylessMesh.versions, weights) {
                Self.expect(divided, version, share: Double(weight) / 10)
            }
        }
    }

    private static func to(_ version: String, weight: Int64 = 100) -> JSONValue {
        ["destination": ["host": "reviews", "subset": .string(version)], "weight": .integer(weight)]
    }

    private static func all(_ count: Int, to version: String) -> ProxylessMesh.Outcome {
        ProxylessMesh.Outcome(versions: [version: count])
    }

    /// Within six standard deviations of a binomial distribution: less than two in a billion are outside.
    private static func expect(
        _ outcome: ProxylessMesh.Outcome, _ version: String, share: Double,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let total = Double(outcome.versions.values.reduce(0, +))
        let seen = Double(outcome.versions[version] ?? 0) / total
        let bound = 6 * (share * (1 - share) / total).squareRoot()
        #expect(abs(seen - share) < bound, "\(version): \(outcome)", sourceLocation: sourceLocation)
    }
}
