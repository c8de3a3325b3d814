/// One SQL statement with its parameters.
///
/// ```swift
/// let statement: Statement = "SELECT name FROM service WHERE tenant = \(tenant) AND id = ANY(\(ids))"
/// ```
/// An interpolated value is bound as `$n` and never becomes part of the text. Text that is not a literal gets in only
/// as `\(identifier:)`, quoted, or as `\(raw:)`, which takes a `StaticString`; `\(_: Statement)` inserts a fragment
/// with its parameters. The text is the key of the connection's cache of prepared statements, so keep the number of
/// texts small: `= ANY(array)` rather than a list of placeholders.
package struct Statement: Sendable, ExpressibleByStringInterpolation {
    /// With `$1`… in place of values.
    package private(set) var sql: String
    private(set) var parameters: Parameters

    package init(stringLiteral sql: String) {
        self.sql = sql
        parameters = Parameters()
    }

    package init(stringInterpolation: StringInterpolation) {
        sql = stringInterpolation.sql
        parameters = stringInterpolation.parameters
    }

    /// Appends a fragment, its parameters renumbered.
    package mutating func append(_ fragment: Statement) {
        var rest = fragment.sql.utf8[...]
        var read = 0
        for slot in fragment.parameters.slots {
            let literal = rest.prefix(slot.position - read)
            sql += String(Substring(literal))
            parameters.slots.append(Slot(type: slot.type, length: slot.length, position: sql.utf8.count))
            sql += "$\(parameters.slots.count)"
            // Skips the fragment's own `$n`.
            rest = rest.dropFirst(literal.count + 1).drop { (0x30...0x39).contains($0) }
            read = fragment.sql.utf8.count - rest.count
        }
        sql += String(Substring(rest))
        parameters.bytes += fragment.parameters.bytes
    }

    /// One parameter: its type, its length in bytes or -1 for NULL, and where its `$n` begins in the text.
    struct Slot: Hashable {
        var type: UInt32
        var length: Int32
        var position: Int
    }

    /// All parameters in one buffer, so that a statement costs few allocations.
    struct Parameters: Sendable {
        var slots: [Slot] = []
        /// The values one after another.
        var bytes: [UInt8] = []
    }

    package struct StringInterpolation: StringInterpolationProtocol {
        var sql: String
        var parameters = Parameters()

        package init(literalCapacity: Int, interpolationCount: Int) {
            sql = ""
            sql.reserveCapacity(literalCapacity + 3 * interpolationCount)
            parameters.slots.reserveCapacity(interpolationCount)
            parameters.bytes.reserveCapacity(16 * interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) { sql += literal }

        /// Binds a value.
        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value) { bind(value) }

        private mutating func bind<Value: PostgresEncodable>(_ value: Value) {
            let start = parameters.bytes.count
            if !value.isNull { value.encode(into: &parameters.bytes) }
            let length = value.isNull ? -1 : Int32(clamping: parameters.bytes.count - start)
            parameters.slots.append(Slot(type: Value.postgresType.oid, length: length, position: sql.utf8.count))
            sql += "$"
            sql += String(parameters.slots.count)
        }

        /// Binds a value or NULL. An overload, because the compiler takes an optional for a mistake otherwise.
        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
            bind(value)
        }

        /// Inserts trusted text as it is.
        package mutating func appendInterpolation(raw text: StaticString) { sql += text.description }

        /// Inserts a quoted name.
        package mutating func appendInterpolation(identifier: SQLIdentifier) { sql += identifier.description }

        /// Inserts a fragment with its parameters.
        package mutating func appendInterpolation(_ fragment: Statement) {
            var whole = Statement(stringInterpolation: self)
            whole.append(fragment)
            (sql, parameters) = (whole.sql, whole.parameters)
        }
    }
}

extension Statement {
    /// Why libpq or the protocol could not carry this statement; `nil` if they can.
    var defect: PostgresError? {
        if parameters.slots.count > 65_535 {
            return PostgresError(.misuse, "a statement takes at most 65535 parameters, not \(parameters.slots.count)")
        }
        if parameters.bytes.count > 1 << 30 {
            return PostgresError(.misuse, "the parameters of a statement are limited to 1 GiB")
        }
        return nil
    }
}
