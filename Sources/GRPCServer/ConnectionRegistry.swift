internal import NIOCore
internal import Synchronization

/// The open connections of a server, over all its event loops.
final class ConnectionRegistry: Sendable {
    private struct State {
        /// The connections that are served, and those that are told why they are not.
        var connections: [UInt64: NIOLoopBound<GRPCConnection>] = [:]
        var refused: Set<UInt64> = []
        /// By IP address, of those that are served and have one.
        var byAddress: [String: Int] = [:]
        var isDraining = false
        var waiting: CheckedContinuation<Void, Never>?

        var served: Int { connections.count - refused.count }
    }

    private let state = Mutex(State())
    private static let ids = Atomic<UInt64>(0)

    /// The connections that are served.
    var count: Int { state.withLock { $0.served } }

    func nextID() -> UInt64 { Self.ids.add(1, ordering: .relaxed).newValue }

    /// The fate of a connection that was accepted.
    enum Admission {
        case served
        /// There is no room for it; its calls are to be answered with this, and it is to be closed.
        case refused(GRPCStatus)
        /// There is no room for it, nor for an answer.
        case dropped(GRPCStatus)
    }

    /// Called on the connection's event loop.
    func admit(_ connection: GRPCConnection, within limits: GRPCServer.Configuration) -> Admission {
        let entry = NIOLoopBound(connection, eventLoop: connection.eventLoop)
        let (id, address) = (connection.id, connection.peer?.ipAddress)
        return state.withLock { state in
            if state.isDraining { return .dropped(GRPCStatus(.unavailable, "this server ends")) }
            if let status = Self.refusal(of: address, state, limits) {
                guard state.refused.count < limits.maxRefusedConnections else { return .dropped(status) }
                state.refused.insert(id)
                state.connections[id] = entry
                return .refused(status)
            }
            if let address { state.byAddress[address, default: 0] += 1 }
            state.connections[id] = entry
            return .served
        }
    }

    /// Why there is no room for one more connection; the limits as the configuration of servers names them.
    private static func refusal(
        of address: String?, _ state: State, _ limits: GRPCServer.Configuration
    ) -> GRPCStatus? {
        guard state.served < limits.maxConnections else {
            return GRPCStatus(
                .resourceExhausted, "this server takes at most \(limits.maxConnections) connections (limit connections)"
            )
        }
        guard let address, state.byAddress[address, default: 0] >= limits.maxConnectionsPerAddress else { return nil }
        return GRPCStatus(
            .resourceExhausted,
            """
            this server takes at most \(limits.maxConnectionsPerAddress) connections from one address \
            (limit connectionsPerAddress), and \(address) has them
            """)
    }

    /// - Parameter address: the connection's peer's.
    func remove(_ id: UInt64, from address: String?) {
        let waiting: CheckedContinuation<Void, Never>? = state.withLock { state in
            // One that was dropped never was here.
            guard state.connections.removeValue(forKey: id) != nil else { return nil }
            if state.refused.remove(id) == nil, let address {
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
