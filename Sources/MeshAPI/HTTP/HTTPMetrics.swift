internal import CoreMetrics
internal import MeshCore
internal import Prometheus
internal import Synchronization

/// Counts requests and their durations by route.
///
/// The route is the template, never the path, and of methods only the usual ones have their own label, so the table of routes
/// bounds the number of series. Not Hummingbird's `MetricsMiddleware`: it counts what its own router has found, under names of its
/// own, and a request when its answer was written, so that an event stream of an hour would be a request of an hour.
struct HTTPMetrics: Sendable {
    private static let requests = Metric.counter(
        "sluice_http_requests_total", "Answered requests of the REST API.", labels: ["method", "route", "status"],
        seriesLimit: 10_000)
    private static let durations = Metric.histogram(
        "sluice_http_request_duration_seconds", "Time from the request's header to the answer.",
        bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30], labels: ["route"])

    /// Methods that get their own label; clients may invent any other.
    private static let methods: Set<String> = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"]
    /// The label of requests that no route takes.
    static let unknownRoute = "unknown"

    private let routes: [String: Handles]
    private let unknown: Handles

    /// - Parameter templates: those of all routes.
    init(_ templates: some Sequence<String>, in factory: any MetricsFactory) {
        Self.requests.declare(in: factory)
        Self.durations.declare(in: factory)
        routes = Dictionary(templates.map { ($0, Handles($0, factory)) }) { first, _ in first }
        unknown = Handles(Self.unknownRoute, factory)
    }

    /// Counts one answered request.
    ///
    /// - Parameter route: the route's template, or ``unknownRoute``.
    func record(method: String, route: String, status: Int, elapsed: Duration) {
        (routes[route] ?? unknown).record(Self.methods.contains(method) ? method : "other", status, elapsed)
    }

    /// A route's handles, each made with the first request that it counts: what never happened is not written.
    private final class Handles: Sendable {
        private struct Answer: Hashable {
            var method: String
            var status: Int
        }

        private struct State {
            var requests: [Answer: Counter] = [:]
            var durations: Timer?
        }

        private let route: String
        private let factory: any MetricsFactory
        private let state = Mutex(State())

        init(_ route: String, _ factory: any MetricsFactory) {
            self.route = route
            self.factory = factory
        }

        func record(_ method: String, _ status: Int, _ elapsed: Duration) {
            let answer = Answer(method: method, status: status)
            let (counter, timer) = state.withLock { ($0.requests[answer], $0.durations) }
            (counter ?? makeCounter(of: answer)).increment()
            (timer ?? makeTimer()).recordNanoseconds(elapsed.microseconds * 1_000)
        }

        /// Two requests at once may both make one. They are of one series, so it does not matter which stays.
        private func makeCounter(of answer: Answer) -> Counter {
            let counter = HTTPMetrics.requests.makeCounter([answer.method, route, "\(answer.status)"], in: factory)
            state.withLock { $0.requests[answer] = counter }
            return counter
        }

        private func makeTimer() -> Timer {
            let timer = HTTPMetrics.durations.makeTimer([route], in: factory)
            state.withLock { $0.durations = timer }
            return timer
        }
    }
}
