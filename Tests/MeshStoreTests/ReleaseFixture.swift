import Documents
import MeshCore
import MeshModel
import Postgres
import TestSupport

@testable import GrayRelease
@testable import MeshStore

extension ObjectKey {
    static func release(_ text: String, in mesh: MeshKey = .acme) -> ObjectKey {
        .namespaced(.release, NamespacedName(namespace: .shop, name: MeshStoreTests.name(text)), in: mesh)
    }
}

extension ReleaseDecision {
    /// A decision that does nothing but what it is told.
    static func enter(
        _ phase: ReleaseStatus.Phase, events: [String] = [], service: [ServiceStatus.Change] = [],
        traffic: Bool = false,
        wakeup: Timestamp? = nil
    ) -> ReleaseDecision {
        var status = ReleaseStatus()
        status.phase = phase
        if traffic { status.traffic.changedAt = Timestamp(microseconds: 1_000_000) }
        let happened = events.map { key in
            ReleaseEvent(
                kind: .progressing, dedupeKey: key, at: Timestamp(microseconds: 2_000_000), phase: phase,
                message: "☕", canaryShare: .none)
        }
        return ReleaseDecision(
            status: status, events: happened, serviceChanges: service, analysisChanges: [], changesRoutes: traffic,
            decidedAt: Timestamp(microseconds: 2_000_000), nextWakeupAt: wakeup)
    }
}

extension MeshStore {
    /// A release of the service `cart` that has not been started.
    @discardableResult
    func createRelease(_ text: String, service: String = "cart", port: Int64 = 80, in mesh: MeshKey = .acme)
        async throws -> ReleaseRow
    {
        let key = ObjectKey.release(text, in: mesh)
        _ = try await create(
            key, spec: ["service": .string(service), "port": .integer(port)], status: ReleaseStatus().json)
        return try await row(key)
    }

    /// The release as it is now.
    func row(_ key: ObjectKey) async throws -> ReleaseRow {
        guard let row = try await release(key) else { throw StoreError.notFound }
        return row
    }

    func row(_ text: String) async throws -> ReleaseRow { try await row(.release(text)) }

    /// Commits as the driver and people do it: `nil` leaves nothing behind.
    @discardableResult
    func commit(_ decision: ReleaseDecision, of row: ReleaseRow, leaseEpoch: Int64? = nil) async throws -> StoredObject?
    {
        struct Lost: Error {}
        do {
            return try await write(in: row.object.key.meshKey ?? .acme) { transaction in
                let object = try await transaction.commit(decision, of: row, leaseEpoch: leaseEpoch, actor: "somebody")
                guard let object else { throw Lost() }
                return object
            }
        } catch is Lost {
            return nil
        }
    }

    /// A release that is active and due at once.
    @discardableResult
    func startRelease(_ text: String, service: String = "cart", port: Int64 = 80) async throws -> ReleaseRow {
        let row = try await createRelease(text, service: service, port: port)
        try await commit(.enter(.progressing, wakeup: try await now()), of: row)
        return try await self.row(text)
    }

    func claim(_ replica: String, limit: Int = 10, lease: Duration = .seconds(3600)) async throws -> [ReleaseRow] {
        try await claimReleases(by: replica, limit: limit, lease: lease)
    }

    /// Ends a lease by the database's clock, as if its time had passed.
    func expireLease(_ text: String) async throws {
        _ = try await pool.pipeline([
            Visibility.all.statement,
            "UPDATE release SET lease_until = now() - interval '1 microsecond' WHERE name = \(text) AND lease_until > now()",
        ])
    }

    /// Sets when a release is due, relative to now.
    func setWakeup(_ text: String, in interval: String) async throws {
        _ = try await pool.pipeline([
            Visibility.all.statement,
            "UPDATE release SET next_wakeup_at = now() + \(interval)::text::interval WHERE name = \(text)",
        ])
    }
}
