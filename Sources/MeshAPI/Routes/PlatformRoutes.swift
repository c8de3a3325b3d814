internal import HTTPTypes
internal import MeshControl
internal import MeshIdentity
internal import MeshModel
internal import Synchronization

/// What belongs to no tenant: health, metrics, documents, and who the caller is.
struct PlatformRoutes: Sendable {
    let configuration: APIConfiguration
    let readiness: Readiness
    let metrics: @Sendable () -> String
    /// Prometheus' text format.
    static let metricsType = "text/plain; version=0.0.4; charset=utf-8"

    var routes: [Route] {
        [
            Route(.get, "/healthz", "getHealth", access: .open) { _ in .document(["status": "ok"]) },
            Route(.get, "/readyz", "getReadiness", access: .open) { _ in try await self.ready() },
            Route(.get, "/metrics", "getMetrics", access: .open) { _ in
                .text(metrics(), type: Self.metricsType)
            },
            Route(.get, "/version", "getVersion", access: .open) { _ in
                .document(["version": .string(configuration.version)])
            },
            Route(.get, "/openapi.yaml", "getOpenAPI", access: .open) { _ in
                APIAnswer(body: Documents.openAPI, type: "application/yaml")
            },
            Route(.get, "/docs", "getDocs", access: .open) { _ in
                var answer = APIAnswer.text(Documents.page, type: "text/html; charset=utf-8")
                answer.headers[.contentSecurityPolicy] = Documents.pagePolicy
                return answer
            },
            Route(.get, "/v1/whoami", "whoami") { Self.whoami($0.caller) },
        ]
    }

    /// 503 with reasons while something that requests need is away.
    private func ready() async throws -> APIAnswer {
        let reasons = await readiness.reasons()
        guard reasons.isEmpty else {
            throw Problem(
                .serviceUnavailable, "notReady", reasons.joined(separator: "; "),
                members: ["reasons": .array(reasons.map(JSONValue.string))], headers: [.retryAfter: "1"])
        }
        return .document(["status": "ready"])
    }

    private static func whoami(_ caller: Caller) -> APIAnswer {
        .document(
            .fields([
                "caller": .string(caller.description), "role": .string(caller.role.rawValue),
                "tenant": caller.tenant.map { .string($0.text) },
                "meshes": JSONValue.list(caller.meshes.sorted()) { .string($0.text) },
                "namespaces": JSONValue.list(caller.namespaces.sorted()) { .string($0.text) },
                "permissions": .array(
                    Permission.allCases.filter { $0.roles.contains(caller.role) }.map { .string($0.rawValue) }),
            ]))
    }
}

/// Why the server cannot serve requests at the moment.
package struct Readiness: Sendable {
    /// Each looks at one thing and says what is wrong with it; `nil`: nothing.
    package var checks: [@Sendable () async -> String?]
    /// How long an answer holds: anybody may ask, and as often as they like.
    private let lifetime: Duration
    private let last = Last()

    package init(checks: [@Sendable () async -> String?] = [], lifetime: Duration = .zero) {
        self.checks = checks
        self.lifetime = lifetime
    }

    func reasons() async -> [String] {
        if let known = last.value.withLock({ $0 }), .now < known.at + lifetime { return known.reasons }
        var reasons: [String] = []
        for check in checks {
            if let reason = await check() { reasons.append(reason) }
        }
        last.value.withLock { [reasons] in $0 = (reasons, .now) }
        return reasons
    }

    private final class Last: Sendable {
        let value = Mutex<(reasons: [String], at: ContinuousClock.Instant)?>(nil)
    }
}
