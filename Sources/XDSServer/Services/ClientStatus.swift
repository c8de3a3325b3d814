package import NIOCore

/// The state of one client that has a stream here, in one type.
package struct ClientTypeStatus: Sendable {
    package var report: TypeReport
    /// The resources that were sent last and that the client wants, sorted by name. ``report`` says if it has not acknowledged
    /// them.
    package var resources: [EncodedResource]
    /// The names that the client wants; `nil`: all.
    package var names: Set<String>?
}

/// A client that has a stream here, and what it was sent.
package struct ClientStatus: Sendable {
    package var proxy: String
    /// The node's `id`, in the client's own words.
    package var node: String
    package var types: [ClientTypeStatus]
}

/// Which clients somebody wants to know of.
package struct ClientStatusFilter: Sendable {
    /// Only the client of this name; `nil`: all of them.
    package var proxy: String?
    /// The view to look in; `nil`: all views.
    package var view: ViewID?
    /// Whether a node's `id` is one of those meant.
    package var node: @Sendable (String) -> Bool = { _ in true }
    /// Clients that are told of at most, for every event loop: to list one costs its loop as much as it was sent.
    package var limit = 1

    package init(proxy: String? = nil, view: ViewID? = nil) {
        self.proxy = proxy
        self.view = view
    }
}

extension SnapshotStore {
    /// The state of clients that have streams on this server, sorted by their names.
    package func statuses(_ filter: ClientStatusFilter, on eventLoop: any EventLoop) -> EventLoopFuture<[ClientStatus]>
    {
        let found = hubs.map { hub in hub.eventLoop.submit { hub.value.statuses(filter) } }
        return EventLoopFuture.whenAllSucceed(found, on: eventLoop).map { found in
            var newest: [String: (stream: UInt64, client: ClientStatus)] = [:]
            for (stream, client) in found.joined() where newest[client.proxy].map({ $0.stream < stream }) ?? true {
                newest[client.proxy] = (stream, client)
            }
            return newest.sorted { $0.key < $1.key }.map(\.value.client)
        }
    }

    /// The state of one client.
    ///
    /// - Returns: `nil` if it has no stream here.
    package func status(of proxy: String, in view: ViewID) async throws -> ClientStatus? {
        guard let loop = hubs.first?.eventLoop else { return nil }
        return try await statuses(ClientStatusFilter(proxy: proxy, view: view), on: loop).get().first
    }
}
