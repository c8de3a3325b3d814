internal import Logging
internal import Postgres
internal import PostgresServer

/// Decoding of rows. The baseline is fetching the same rows without looking at their values.
struct RowsBenchmark {
    private static let count = 100_000
    private static let sql: Statement = """
        SELECT n::int8 AS id, n::int4 AS port, 'service-' || n AS name, (n % 2 = 0) AS ready, now() AS at,
               '{"weight": 1}'::jsonb AS spec
          FROM generate_series(1, \(Int64(count))) AS n
        """

    func run() async throws -> [Figure] {
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let server = try await PostgresServer.temporary()
        var fetching: [Duration] = []
        var decoding: [Duration] = []
        try await Pool.running(PoolOptions(server.connectionString), logger: logger) { pool in
            for _ in 0..<7 {
                let clock = ContinuousClock()
                let start = clock.now
                let rows = try await pool.query(Self.sql)
                fetching.append(clock.now - start)
                var sum: Int64 = 0
                decoding.append(try clock.measure { sum = try Self.decode(rows) })
                precondition(sum > 0, "values must be used")
            }
        }
        await server.stop()
        let fetch = Table.median(fetching) ?? .zero
        let decode = Table.median(decoding) ?? .zero
        return [
            Figure(what: "fetch \(Self.count) rows of 6 columns", value: Table.text(fetch)),
            Figure(
                what:
                    "decode them (\(Table.rounded(Double(Self.count) / (decode / .seconds(1)) / 1e6)) million rows a second)",
                value: Table.text(decode), baseline: Table.text(fetch), ratio: Table.ratio(decode / fetch)),
        ]
    }

    private static func decode(_ rows: Rows) throws(PostgresError) -> Int64 {
        var sum: Int64 = 0
        for row in rows {
            let id: Int64 = try row["id"]
            let port: Int32 = try row["port"]
            let name: String = try row["name"]
            let isReady: Bool = try row["ready"]
            let at: PostgresTimestamp = try row["at"]
            let spec: JSONText = try row["spec"]
            sum &+= id &+ Int64(port) &+ Int64(name.utf8.count) &+ (isReady ? 1 : 0)
            sum &+= at.microsecondsSince1970 & 1 &+ Int64(spec.text.utf8.count)
        }
        return sum
    }
}
