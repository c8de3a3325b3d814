internal import NIOCore
internal import Synchronization

/// The open connections of a server, over all its event loops.
final class ConnectionRegistry: Sendable {
    private struct State {
        var connections: [UInt64: NIOLoopBound<GRPCConnection>] = [:]
        var isDraining = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    private static let ids = Atomic<UInt64>(0)

    var count: Int { state.withLock { $0.connections.count } }

    func nextID() -> UInt64 { Self.ids.add(1, ordering: .relaxed).newValue }

    /// - Returns: whether there was room. Called on the connection's event loop.
    func admit(_ connection: GRPCConnection, limit: Int) -> Bool {
        let entry = NIOLoopBound(connection, eventLoop: connection.eventLoop)
        let id = connection.id
        return state.withLock { state in
            guard !state.isDraining, state.connections.count < limit else { return false }
            state.connections[id] = entry
            return true
        }
    }

    func remove(_ id: UInt64) {
        let waiting: CheckedContinuation<Void, Never>? = state.withLock { state in
            state.connections[id] = nil
            guard state.connections.isEmpty else { return nil }
            return state.waiting.take()
        }
        waiting?.resume()
    }

    /// Closes every connection gracefully and waits for the last. Each ends within its grace period.
    func drain() async {
        let open = state.withLock { state in
            state.isDraining = true
            return Array(state.connections.values)
        }
        for connection in open {
            connection.eventLoop.execute { connection.value.closeGracefully() }
        }
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if !state.connections.isEmpty { state.waiting = continuation }
                return state.connections.isEmpty
            }
            if isEmpty { continuation.resume() }
        }
    }
}
