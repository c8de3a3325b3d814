internal import NIOCore
internal import Synchronization

/// The open connections of a server, over all its event loops.
final class ConnectionRegistry: Sendable {
    private struct State {
        var connections: [UInt64: NIOLoopBound<GRPCConnection>] = [:]
        /// By IP address, of those that have one.
        var byAddress: [String: Int] = [:]
        var isDraining = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    private static let ids = Atomic<UInt64>(0)

    var count: Int { state.withLock { $0.connections.count } }

    func nextID() -> UInt64 { Self.ids.add(1, ordering: .relaxed).newValue }

    /// Why there is no room for a connection.
    enum Refusal { case draining, tooMany, tooManyFromAddress }

    /// - Returns: `nil` if there was room. Called on the connection's event loop.
    func admit(_ connection: GRPCConnection, limit: Int, perAddress: Int) -> Refusal? {
        let entry = NIOLoopBound(connection, eventLoop: connection.eventLoop)
        let (id, address) = (connection.id, connection.peer?.ipAddress)
        return state.withLock { state in
            if state.isDraining { return .draining }
            guard state.connections.count < limit else { return .tooMany }
            if let address {
                let count = state.byAddress[address, default: 0]
                guard count < perAddress else { return .tooManyFromAddress }
                state.byAddress[address] = count + 1
            }
            state.connections[id] = entry
            return nil
        }
    }

    /// - Parameter address: the connection's peer's.
    func remove(_ id: UInt64, from address: String?) {
        let waiting: CheckedContinuation<Void, Never>? = state.withLock { state in
            // One that was refused never was here.
            guard state.connections.removeValue(forKey: id) != nil else { return nil }
            if let address {
                let rest = (state.byAddress[address] ?? 1) - 1
                state.byAddress[address] = rest > 0 ? rest : nil
            }
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
