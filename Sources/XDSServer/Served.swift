internal import NIOCore

/// What one client that has a stream here was sent of one type.
package struct ServedType: Sendable {
    package var report: TypeReport
    /// What was sent last and the client wants; sorted by name. It has not acknowledged it if ``report`` says so.
    package var resources: [EncodedResource]
    /// The names that the client wants; `nil`: all.
    package var names: Set<String>?
}

/// A client that has a stream here, and what it was sent.
package struct ServedClient: Sendable {
    package var proxy: String
    package var view: ViewID
    /// The node's `id`, in the client's own words.
    package var node: String
    package var types: [ServedType]
}

extension SnapshotStore {
    /// What the clients of some views that have streams on this server were sent, by their name.
    ///
    /// - Parameters:
    ///   - proxy: only this client; `nil`: all of them.
    ///   - view: where to look; `nil`: everywhere.
    package func served(to proxy: String?, of view: ViewID? = nil) async -> [ServedClient] {
        var newest: [String: (stream: UInt64, client: ServedClient)] = [:]
        for hub in hubs {
            let found = try? await hub.eventLoop.submit { hub.value.served(to: proxy, of: view) }.get()
            for (stream, client) in found ?? [] where newest[client.proxy].map({ $0.stream < stream }) ?? true {
                newest[client.proxy] = (stream, client)
            }
        }
        return newest.sorted { $0.key < $1.key }.map(\.value.client)
    }
}
