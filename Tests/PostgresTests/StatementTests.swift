import Testing

@testable import Postgres

@Suite("Statements")
struct StatementTests {
    @Test("bind interpolated values and never paste them")
    func binding() {
        let evil = "'; DROP TABLE x; --"
        let statement: Statement = "SELECT \(evil), \(1) FROM \(identifier: "a\"b") \(raw: "ORDER BY 1")"
        #expect(statement.sql == "SELECT $1, $2 FROM \"a\"\"b\" ORDER BY 1")
        #expect(statement.parameters.slots.map(\.type) == [25, 20])
    }

    @Test("insert fragments with their parameters renumbered")
    func fragments() {
        let filter: Statement = "name = \("n") AND size > \(3) AND text <> '$1'"
        var statement: Statement = "SELECT 1 WHERE id = \(7) AND \(filter) OR \(filter)"
        statement.append(" LIMIT \(10)")
        #expect(
            statement.sql == """
                SELECT 1 WHERE id = $1 AND name = $2 AND size > $3 AND text <> '$1' \
                OR name = $4 AND size > $5 AND text <> '$1' LIMIT $6
                """)
        #expect(statement.parameters.slots.map(\.type) == [20, 25, 20, 25, 20, 20])
        #expect(statement.parameters.slots.map(\.length) == [8, 1, 8, 1, 8, 8])
    }

    @Test("with eleven parameters keep their numbers apart in fragments")
    func manyParameters() {
        var all: Statement = "\(0)"
        for number in 1...11 { all.append(",\(number)") }
        let outer: Statement = "\("x") \(all)"
        #expect(outer.sql == "$1 $2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13")
    }

    @Test("are cached by text and types, the least recently used going first")
    func cache() {
        var cache = StatementCache(capacity: 2)
        func key(_ statement: Statement) -> StatementCache.Key {
            StatementCache.Key(sql: statement.sql, slots: statement.parameters.slots)
        }
        func isHit(_ plan: StatementCache.Plan) -> Bool { if case .execute = plan { true } else { false } }
        #expect(!isHit(cache.plan(key("a \(1)"))))
        #expect(!isHit(cache.plan(key("a \("x")"))))
        #expect(isHit(cache.plan(key("a \(2)"))))
        guard case .prepare(_, let evicted) = cache.plan(key("b")) else { return #expect(Bool(false)) }
        #expect(evicted != nil)
        #expect(isHit(cache.plan(key("a \(3)"))))
        #expect(!isHit(cache.plan(key("a \("x")"))))
        #expect(cache.count == 2)
    }
}
