import Testing

@testable import Postgres

private enum Phase: String, PostgresValue, CaseIterable { case running, paused }

@Suite("Values", .timeLimit(.minutes(2)))
struct ValueTests {
    /// Binds the value, reads it back, and reads back a NULL of its type.
    private func roundTrip<Value: PostgresEncodable & PostgresDecodable & Equatable>(_ values: [Value]) async throws {
        let connection = try await openConnection()
        for value in values {
            let row = try #require(try await connection.query("SELECT \(value), \(Value?.none)").first)
            #expect(try row[0, as: Value.self] == value)
            #expect(try row[0, as: Value?.self] == value)
            #expect(try row[1, as: Value?.self] == nil)
            let error = try await postgresError { _ = try row[1, as: Value.self] }
            #expect(error.kind == .decoding && error.message.contains("NULL"))
        }
    }

    @Test("of all scalar types come back as they went")
    func scalars() async throws {
        try await roundTrip([true, false])
        try await roundTrip([0, 1, -1, Int.max, Int.min])
        try await roundTrip([Int64.max, Int64.min])
        try await roundTrip([Int32.max, Int32.min])
        try await roundTrip([Int16.max, Int16.min])
        try await roundTrip([0, -0.0, 1.5, Double.greatestFiniteMagnitude, .leastNonzeroMagnitude, .infinity])
        try await roundTrip(["", "a", "čeština 🦌 $1 ' \" \\", String(repeating: "x", count: 1 << 20)])
        try await roundTrip([UInt128.max, 0, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef])
        try await roundTrip([[UInt8](), [0], Array(0...255), [UInt8](repeating: 7, count: 1 << 20)])
        try await roundTrip([JSONText("{\"a\": [1, null, \"\"]}"), JSONText("null")])
        try await roundTrip(Phase.allCases)
        try await roundTrip([
            PostgresTimestamp(microsecondsSince1970: 0), PostgresTimestamp(microsecondsSince1970: -1),
            PostgresTimestamp(microsecondsSince1970: 1_764_000_000_123_456), .infinity, .minusInfinity,
        ])
    }

    @Test("in arrays come back as they went, NULLs included")
    func arrays() async throws {
        try await roundTrip([[Int](), [1], [Int.min, Int.max]])
        try await roundTrip([["", "a,b", "{}\"'"], []])
        try await roundTrip([[String?.none, "a", nil]])
        try await roundTrip([[true, false]])
        try await roundTrip([[[UInt8](), [1, 2]]])
        try await roundTrip([[JSONText("1"), JSONText("{}")]])
        try await roundTrip([[PostgresTimestamp(microsecondsSince1970: 5), .infinity]])
        try await roundTrip([[UInt128(1), .max]])
        try await roundTrip([[1.5, -.infinity]])
    }

    @Test("mean the same to the server")
    func meaning() async throws {
        let row = try #require(
            try await openConnection().query(
                """
                SELECT \(PostgresTimestamp(microsecondsSince1970: 1_764_000_000_000_000))::text,
                    \(JSONText("{\"b\":1,\"a\":2}"))::text,
                    \(UInt128(1))::text, \([3, 1, 2])::text, \([UInt8]([0xde, 0xad]))::text, \(-1.5)::text,
                    7::int4, 7::int2,
                    '{1,2}'::int4[]
                """
            ).first)
        #expect(try row[0, as: String.self] == "2025-11-24 16:00:00+00")
        #expect(try row[1, as: String.self] == "{\"a\": 2, \"b\": 1}")
        #expect(try row[2, as: String.self] == "00000000-0000-0000-0000-000000000001")
        #expect(try row[3, as: String.self] == "{3,1,2}")
        #expect(try row[4, as: String.self] == "\\xdead")
        #expect(try row[5, as: String.self] == "-1.5")
        // Narrow integers read as wide ones.
        #expect(try row[6, as: Int.self] == 7)
        #expect(try row[7, as: Int64.self] == 7)
        #expect(try row[8, as: [Int].self] == [1, 2])
    }

    @Test("unnest into rows")
    func unnest() async throws {
        let rows = try await openConnection().query(
            "SELECT * FROM unnest(\(["a", "b"]), \([1, 2]), \([JSONText("1"), nil])) AS t (name, number, spec)")
        #expect(try rows.map { try $0["name", as: String.self] } == ["a", "b"])
        #expect(try rows.map { try $0["number", as: Int.self] } == [1, 2])
        #expect(try rows.map { try $0["spec", as: JSONText?.self] } == [JSONText("1"), nil])
    }

    @Test("of another type or out of range are decoding errors that name the column")
    func mismatch() async throws {
        let rows = try await openConnection().query(
            "SELECT 'x'::text AS name, 70000::int8 AS big, 1.5::numeric AS price")
        let row = try #require(rows.first)
        for body in [
            { _ = try row["name", as: Int.self] }, { _ = try row["big", as: Int16.self] },
            { _ = try row["price", as: Double.self] }, { _ = try row["nothing", as: Int.self] },
            { _ = try row[9, as: Int.self] }, { _ = try row[-1, as: Int.self] },
            { _ = try rows.decode(Int.self, row: 5, column: 0) },
        ] as [() throws -> Void] {
            let error = try await postgresError(body)
            #expect(error.kind == .decoding)
        }
        let error = try await postgresError { _ = try row["price", as: Double.self] }
        #expect(error.message.contains("price") && error.message.contains("numeric"))
    }

    @Test("that PostgreSQL cannot hold are refused by the server, and the connection goes on")
    func unstorable() async throws {
        let connection = try await openConnection()
        let zero = try await postgresError { _ = try await connection.query("SELECT \("a\0b")") }
        #expect(zero.sqlState == .characterNotInRepertoire)
        let broken = try await postgresError { _ = try await connection.query("SELECT \(JSONText("{"))") }
        #expect(broken.sqlState == SQLState(rawValue: "22P02"))
        let text = try await postgresError { _ = try await connection.query("SELECT 1 \(identifier: "a") \u{0} junk") }
        #expect(text.kind == .misuse)
        #expect(try await connection.query("SELECT 1").count == 1)
    }
}
