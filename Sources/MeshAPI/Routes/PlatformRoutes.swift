internal import Documents
internal import HTTPTypes
internal import MeshControl
internal import MeshCore
internal import MeshIdentity
internal import Prometheus
internal import Synchronization

/// Routes that belong to no tenant: health, metrics, documents, and who the caller is.
struct PlatformRoutes: Sendable {
    let configuration: APIConfiguration
    let readiness: Readiness
    let metrics: @Sendable () -> String

    var routes: [Route] {
        [
            Route(.get, "/healthz", "getHealth", .open) { _ in .document(["status": "ok"]) },
            Route(.get, "/readyz", "getReadiness", .open) { _ in try await self.ready() },
            Route(.get, "/metrics", "getMetrics", .open) { _ in
                .text(metrics(), type: Exposition.type)
            },
            Route(.get, "/version", "getVersion", .open) { _ in
                .document(["version": .string(configuration.version)])
            },
            Route(.get, "/openapi.yaml", "getOpenAPI", .open) { _ in
                APIAnswer(body: ServedDocuments.openAPI, type: "application/yaml")
            },
            Route(.get, "/docs", "getDocs", .open) { _ in
                var answer = APIAnswer.text(ServedDocuments.page, type: "text/html; charset=utf-8")
                answer.headers[.contentSecurityPolicy] = ServedDocuments.pagePolicy
                return answer
            },
            Route(.get, "/v1/whoami", "whoami", .authenticated) { Self.whoami($0.caller) },
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
                    Permission.all.filter { $0.roles.contains(caller.role) }.map { .string($0.name) }),
            ]))
    }
}

/// Why the server cannot serve requests at the moment.
package struct Readiness: Sendable {
    /// Each looks at one thing and says what is wrong with it; `nil`: nothing.
    package var checks: [@Sendable () async -> String?]
    /// How long an answer holds: anybody may ask, and as often as they like.
    private let lifetime: Duration
    private let looks = Looks()

    package init(checks: [@Sendable () async -> String?] = [], lifetime: Duration = .zero) {
        self.checks = checks
        self.lifetime = lifetime
    }

    /// Looks, unless somebody looked a moment ago or is looking: what they find is everybody's answer.
    func reasons() async -> [String] {
        if let known = await looks.known(within: lifetime) { return known }
        var reasons: [String] = []
        for check in checks {
            if let reason = await check() { reasons.append(reason) }
        }
        // A check that was cancelled with its caller has found out nothing.
        looks.end(with: Task.isCancelled ? nil : reasons)
        return reasons
    }

    /// How many wait for the look of another one.
    var waiting: Int { looks.waiting }

    /// The last look, and who waits for the one under way.
    private final class Looks: Sendable {
        private struct State {
            var last: (reasons: [String], at: ContinuousClock.Instant)?
            var isLooking = false
            var waiting: [CheckedContinuation<[String]?, Never>] = []
        }

        private let state = Mutex(State())

        var waiting: Int { state.withLock(\.waiting.count) }

        /// - Returns: `nil` if the caller is to look, and to ``end(with:)`` it.
        func known(within lifetime: Duration) async -> [String]? {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> [String]?? in
                    if let last = state.last, .now < last.at + lifetime { return .some(last.reasons) }
                    guard state.isLooking else {
                        state.isLooking = true
                        return .some(nil)
                    }
                    state.waiting.append(continuation)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        }

        /// - Parameter reasons: `nil`: one of those who wait is to look itself.
        func end(with reasons: [String]?) {
            let told = state.withLock { state in
                if let reasons { state.last = (reasons, .now) }
                let told = reasons == nil ? Array(state.waiting.prefix(1)) : state.waiting
                state.waiting.removeFirst(told.count)
                state.isLooking = reasons == nil && !told.isEmpty
                return told
            }
            for continuation in told { continuation.resume(returning: reasons) }
        }
    }
}
