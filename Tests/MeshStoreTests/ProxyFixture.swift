import Documents
import MeshCore
import MeshStore
import Postgres

extension MeshStore {
    func row(
        _ proxy: String, on replica: String, acked: Revision, in mesh: MeshKey = .acme
    ) async throws -> ProxyRow {
        var row = ProxyRow(
            mesh: mesh, name: NamespacedName(namespace: .shop, name: name(proxy)), replica: replica, connected: true,
            connectedAt: try await now(), ackedRevision: acked, types: [:])
        // As it is read again.
        row.telemetry = .nothing
        return row
    }

    func connected() async throws -> [Bool] { try await proxies(of: .acme, limit: 9).map(\.connected) }

    /// Makes a replica's last heartbeat look older.
    func silence(_ replica: String, for interval: String) async throws {
        _ = try await pool.query(
            "UPDATE replica SET heartbeat_at = now() - \(interval)::text::interval WHERE id = \(replica)")
    }

    /// A heartbeat that also holds on a machine that stands still for a while.
    func keepAlive(_ replica: String) async throws {
        try await heartbeat(replica)
        try await silence(replica, for: "-1 hour")
    }

    /// As if the replicas had been there for longer than proxies need to find them.
    func ageReplicas() async throws {
        _ = try await pool.query("UPDATE replica SET up_since = now() - interval '1 hour'")
    }

    func ageProxies(by interval: String) async throws {
        _ = try await pool.pipeline([
            "SELECT set_config('sluice.tenant', '*', true)",
            "UPDATE proxy SET updated_at = now() - \(interval)::text::interval",
        ])
    }
}
