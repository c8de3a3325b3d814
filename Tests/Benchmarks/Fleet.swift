internal import Foundation
internal import GRPCServer
internal import MeshLab
internal import NIOCore
internal import Synchronization

/// Many proxies that speak xDS like Envoys do, see ``FleetProxy``.
///
/// One thread, no decoding of bodies beyond names: what is measured is the server.
final class Fleet: Sendable {
    /// How its proxies speak.
    struct Dialect: Sendable {
        var isDelta = true
        /// As gRPC's client does, which bootstraps ask for; Envoy's own does not.
        var acceptsGzip = true

        var description: String { (isDelta ? "delta" : "state of the world") + (acceptsGzip ? "" : ", uncompressed") }
    }

    /// What one fleet has received so far.
    struct Progress: Sendable {
        /// Streams that have listeners, clusters, endpoints and routes.
        var synced = 0
        /// When the last of them had.
        var lastSynced = ContinuousClock.now
        /// For each stream that received something since the last mark: when it last did.
        var arrivals: [Int: ContinuousClock.Instant] = [:]
        var bytes = 0
        /// Why streams ended, which none should.
        var ends: [GRPCStatus] = []
        /// The first response of each type that the first proxy received.
        var sample: [String: Sample] = [:]
        /// Others that it received since the last mark, in order.
        var pushed: [Sample] = []
        /// What those say that received a response, by its key.
        fileprivate var claims: [String: Claims] = [:]
    }

    /// What proxies ask for and say that they have once they have received a response: the same for all that received it, and
    /// most of what they send, so it is serialised once.
    struct Claims: Sendable {
        /// Its resources and their versions, as `initial_resource_versions` of a `DeltaDiscoveryRequest`.
        var versions = ByteBuffer()
        /// Of clusters, what their endpoints are asked for by: `resource_names`, or `resource_names_subscribe` in delta.
        var endpoints = ByteBuffer()
    }

    /// A response as it came.
    struct Sample: Sendable {
        var isCompressed: Bool
        var bytes: [UInt8]
    }

    let dialect: Dialect
    private let jobs = ThreadJobs<FleetThread>()
    private let progress = Mutex(Progress())

    /// - Parameter port: of the server, on 127.0.0.1.
    init(_ dialect: Dialect, port: Int) {
        self.dialect = dialect
        let jobs = jobs
        Thread.detachNewThread { [weak self] in
            do {
                try FleetThread(port: port, jobs: jobs).run()
            } catch {
                self?.closed(GRPCStatus(.internal, "\(error)"))
            }
        }
    }

    deinit { jobs.finish() }

    /// Connects `count` proxies, each over a connection of its own; a few dozen at a time are on their way, so that it is the
    /// server that is waited for, not the network.
    ///
    /// - Parameter identity: gives the bearer token and node of the n-th proxy.
    func connect(_ count: Int, identity: @escaping @Sendable (Int) -> ProxyIdentity) {
        jobs.add { thread in
            thread.proxies = (0..<count).map { index in
                FleetProxy(index: index, identity: identity(index), fleet: self, gunzip: thread.gunzip)
            }
            thread.connect(atOnce: 64)
        }
    }

    /// Drops every connection at once and connects anew, all together: what follows when a replica or a network dies. The proxies say what
    /// they have.
    func reconnect() {
        progress.withLock { progress in
            progress.synced = 0
            progress.arrivals = [:]
            progress.bytes = 0
        }
        jobs.add { thread in
            for proxy in thread.proxies { proxy.disconnect() }
            thread.connect(atOnce: thread.proxies.count)
        }
    }

    /// Forgets who received what, before a change is made.
    func mark() {
        progress.withLock { progress in
            progress.arrivals = [:]
            progress.pushed = []
        }
    }

    /// Has the first proxy ask for a type that no other proxy asks for.
    func ask(for type: String) { jobs.add { $0.proxies.first?.ask(for: type, on: $0) } }

    var current: Progress { progress.withLock { $0 } }

    /// Closes all connections.
    func close() {
        jobs.add { $0.proxies = [] }
        jobs.finish()
    }

    // MARK: For its proxies

    func received(_ index: Int, bytes: Int) {
        progress.withLock {
            $0.arrivals[index] = .now
            $0.bytes += bytes
        }
    }

    func record(_ sample: Sample, of type: String, isFirst: Bool) {
        progress.withLock { progress in
            if isFirst { progress.sample[type] = sample } else { progress.pushed.append(sample) }
        }
    }

    func claims(_ key: String) -> Claims? { progress.withLock { $0.claims[key] } }
    func note(_ claims: Claims, _ key: String) { progress.withLock { $0.claims[key] = claims } }
    func synced() {
        progress.withLock {
            $0.synced += 1
            $0.lastSynced = .now
        }
    }
    func closed(_ status: GRPCStatus) { progress.withLock { $0.ends.append(status) } }

    /// Waits until `condition` holds.
    ///
    /// - Throws: ``LabError`` when it does not within two minutes, or as soon as a stream ends.
    func wait(_ what: String, until condition: @escaping @Sendable (Progress) -> Bool) async throws {
        do {
            try await eventually(within: .seconds(120), what) {
                if let end = self.current.ends.first { throw LabError("a stream ended: \(end)") }
                return condition(self.current)
            }
        } catch {
            throw LabError(
                "\(error); in sync: \(current.synced), \(current.bytes) bytes, arrived: \(current.arrivals.count)")
        }
    }
}
