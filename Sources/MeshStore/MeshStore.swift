package import CoreMetrics
package import Logging
package import MeshCore
package import Postgres
internal import Prometheus

/// SQL and the model: the only place where the one is turned into the other.
///
/// Every call names its tenant twice: in the WHERE of its statements, and in the session setting that row-level security
/// goes by. Reads are one round trip: the setting and the statement travel together and share one implicit transaction.
package struct MeshStore: Sendable {
    package let pool: Pool
    let logger: Logger
    let unknownRows: UnknownRows
    let feedReads: Counter

    private static let feedReads = Metric.counter(
        "sluice_feed_reads_total", "Pieces of change feeds of objects that were read from the database.")

    /// - Parameter metrics: where is counted what the store leaves out, and what it reads.
    package init(pool: Pool, logger: Logger, metrics: any MetricsFactory = NOOPMetricsHandler.instance) {
        self.pool = pool
        self.logger = logger
        unknownRows = UnknownRows(metrics)
        feedReads = Self.feedReads.makeCounter(in: metrics)
    }

    /// The tenant whose rows a statement may see.
    enum Visibility {
        case tenant(Name)
        /// The replicas' own work, which is for all tenants.
        case all

        var statement: Statement {
            let value: String =
                switch self {
                case .tenant(let name): name.text
                case .all: "*"
                }
            return "SELECT set_config('sluice.tenant', \(value), true)"
        }
    }

    /// Runs one statement in one round trip.
    ///
    /// - Parameters:
    ///   - isPlannedOnce: for statements whose plan is right whatever the values. Left to itself PostgreSQL plans
    ///     each execution anew when that looks cheaper to run, and planning can take longer than running.
    ///   - first: statements before it in the same transaction, such as those that lock.
    func rows(
        _ statement: Statement, seeing visibility: Visibility, isPlannedOnce: Bool = false,
        after first: [Statement] = []
    ) async throws(StoreError) -> Rows {
        let settings: [Statement] =
            isPlannedOnce ? ["SELECT set_config('plan_cache_mode', 'force_generic_plan', true)"] : []
        let results: [Rows]
        do {
            results = try await pool.pipeline(settings + [visibility.statement] + first + [statement])
        } catch {
            throw StoreError(error)
        }
        guard let rows = results.last else { throw .internal("a pipeline had no results") }
        return rows
    }

    /// Runs a use case in one transaction. All of it is committed, or nothing.
    ///
    /// - Parameters:
    ///   - tenant: whose rows are seen and written.
    ///   - mesh: what the revision is raised of; `nil`: the tenant's own.
    ///   - actor: who does it, for the audit trail.
    ///   - body: may run more than once: if PostgreSQL asks for another try, or what it creates was created meanwhile.
    /// - Throws: what `body` throws, or ``StoreError``.
    package func write<T: Sendable>(
        tenant: Name, mesh: Name?, actor: String, requestId: String,
        _ body: (StoreTransaction) async throws -> T
    ) async throws -> T {
        try await transaction(seeing: .tenant(tenant), tenant: tenant, mesh: mesh, actor: actor, requestId, body)
    }

    func transaction<T: Sendable>(
        seeing visibility: Visibility, tenant: Name, mesh: Name?, actor: String, _ requestId: String,
        _ body: (StoreTransaction) async throws -> T
    ) async throws -> T {
        while true {
            do {
                return try await pool.transaction(prelude: [visibility.statement]) { session in
                    let transaction = StoreTransaction(
                        session, tenant: tenant, mesh: mesh, actor: actor, requestId: requestId)
                    let result = try await body(transaction)
                    transaction.notifyAtCommit()
                    return result
                }
            } catch is StoreTransaction.CreatedMeanwhile {
                continue
            } catch let error as PostgresError {
                throw StoreError(error)
            }
        }
    }

    /// Runs a piece of work, such as a request, none of whose statements may wait beyond `limit` from now; one that would
    /// throws ``StoreError/unavailable(retryAfter:because:)``.
    package static func withDeadline<T>(_ limit: Duration, _ body: () async throws -> T) async rethrows -> T {
        try await WorkDeadline.$current.withValue(.now + limit, operation: body)
    }

    /// The time by the database's clock: the only clock that decisions go by.
    package func now() async throws(StoreError) -> Timestamp {
        let rows = try await rows("SELECT now() AS now", seeing: .all)
        return try rows.single { row throws(PostgresError) in try row.time("now") }
    }
}

extension Rows {
    /// Decodes the only row.
    func single<T>(_ decode: (Row) throws(PostgresError) -> T) throws(StoreError) -> T {
        guard let value = try first(decode) else { throw .internal("a statement that always has a row had none") }
        return value
    }

    /// Decodes the first row, if there is one.
    func first<T>(_ decode: (Row) throws(PostgresError) -> T) throws(StoreError) -> T? {
        guard let row = self.first else { return nil }
        do {
            return try decode(row)
        } catch {
            throw StoreError(error)
        }
    }

    /// Decodes all rows.
    func all<T>(_ decode: (Row) throws(PostgresError) -> T) throws(StoreError) -> [T] {
        var values: [T] = []
        values.reserveCapacity(count)
        do {
            for row in self { values.append(try decode(row)) }
        } catch {
            throw StoreError(error)
        }
        return values
    }
}

extension Row {
    func time(_ column: String) throws(PostgresError) -> Timestamp {
        let time: PostgresTimestamp = try self[column]
        return Timestamp(microseconds: time.microsecondsSince1970)
    }

    func timeIfAny(_ column: String) throws(PostgresError) -> Timestamp? {
        let time: PostgresTimestamp? = try self[column]
        return time.map { Timestamp(microseconds: $0.microsecondsSince1970) }
    }
}

extension Timestamp {
    var stored: PostgresTimestamp { PostgresTimestamp(microsecondsSince1970: microseconds) }
}
