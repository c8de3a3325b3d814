import MeshStore
import Postgres
import TestSupport
import Testing

extension MeshStore {
    /// Waits until some session of this database waits for a lock.
    func untilSomebodyWaits(_ count: Int = 1) async throws {
        try await until("nobody waits for a lock") {
            let rows = try await pool.query(
                """
                SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                """)
            return rows.count >= count
        }
    }
}
