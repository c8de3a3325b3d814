internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// Requests that go on while things change, and what became of them.
package final class Load: Sendable {
    /// The counts since the load began or was last taken.
    package struct Count: Sendable, Equatable {
        /// Successful answers by version.
        package var versions: [String: Int] = [:]
        /// Everything else: other statuses, broken connections, timeouts.
        package var failures = 0
        /// The first few failures.
        package var examples: [String] = []

        package var successes: Int { versions.values.reduce(0, +) }

        /// A version's share of the successful answers, `0...1`.
        package func share(of version: String) -> Double {
            successes == 0 ? 0 : Double(versions[version] ?? 0) / Double(successes)
        }
    }

    private struct State {
        var window = Count()
        var total = Count()
    }

    private let url: String
    private let headers: [(String, String)]
    private let workers: Int
    private let pause: Duration
    private let state = Mutex(State())

    /// - Parameters:
    ///   - proxy: the sidecar's HTTP proxy port on loopback.
    ///   - host: the `Host` of the requests, as a caller would name the service.
    ///   - perSecond: requests a second, of all workers together.
    package init(proxy: Int, host: String, path: String = "/", headers: [(String, String)] = [], perSecond: Int = 200) {
        url = "http://127.0.0.1:\(proxy)\(path)"
        self.headers = [("Host", host)] + headers
        workers = max(1, min(8, perSecond / 25))
        pause = .seconds(1) * workers / max(1, perSecond)
    }

    /// Sends requests until the task is cancelled.
    package func run() async {
        await withDiscardingTaskGroup { group in
            for _ in 0..<workers {
                group.addTask { await self.work() }
            }
        }
    }

    private func work() async {
        while !Task.isCancelled {
            await once()
            try? await Task.sleep(for: pause)
        }
    }

    /// Sends one request and counts what became of it.
    package func once() async {
        var request = HTTPClientRequest(url: url)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        do {
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
            _ = try await response.body.collect(upTo: 1 << 20)
            if (200..<300).contains(response.status.code), let version = response.headers.first(name: "x-version") {
                record { $0.versions[version, default: 0] += 1 }
            } else {
                let flags = response.headers.first(name: "x-envoy-response-flags") ?? ""
                fail("status \(response.status.code) \(flags)")
            }
        } catch {
            // The request that was under way when the load was told to stop says nothing about the mesh.
            if !Task.isCancelled { fail("\(error)") }
        }
    }

    private func fail(_ example: String) {
        record {
            $0.failures += 1
            if $0.examples.count < 5 { $0.examples.append(example) }
        }
    }

    private func record(_ change: (inout Count) -> Void) {
        state.withLock {
            change(&$0.window)
            change(&$0.total)
        }
    }

    /// All that was counted since the load began.
    package var total: Count { state.withLock { $0.total } }

    /// The counts since the last call. A call begins a new window.
    package func take() -> Count {
        state.withLock { state in
            defer { state.window = Count() }
            return state.window
        }
    }
}
