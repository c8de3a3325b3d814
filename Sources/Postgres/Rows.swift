/// The result of a statement: its rows, if any, and how many rows it touched.
///
/// Values are decoded from the result's own memory when they are asked for; nothing is copied before. The memory is
/// freed with the last reference to the rows or to any of them.
package final class Rows: Sendable {
    private let result: ResultHandle
    /// Names and types, shared by all results of one prepared statement.
    let columns: Columns
    package let count: Int

    init(_ result: consuming ResultHandle, columns: Columns) {
        count = result.rowCount
        self.result = result
        self.columns = columns
    }

    /// Rows inserted, updated, deleted or returned.
    package var affectedRows: Int { result.affectedRows }

    /// Such as `INSERT 0 1`.
    package var commandTag: String { result.commandTag }

    package var columnNames: [String] { columns.names }

    /// The index of the first column of this name, for loops over many rows.
    ///
    /// - Throws: ``PostgresError/Kind/decoding`` if there is none.
    package func column(_ name: String) throws(PostgresError) -> Int {
        guard let index = columns.index(of: name) else {
            throw PostgresError(.decoding, "no column \(name); there are \(columns.names.joined(separator: ", "))")
        }
        return index
    }

    /// Reads one cell.
    ///
    /// - Throws: ``PostgresError/Kind/decoding`` if there is no such cell, if its type or value does not fit, or if it
    ///   is NULL and `Value` is not optional.
    package func decode<Value: PostgresDecodable>(
        _ type: Value.Type = Value.self, row: Int, column: Int
    ) throws(PostgresError) -> Value {
        guard row >= 0, row < count, column >= 0, column < columns.types.count else {
            throw PostgresError(.decoding, "no cell \(column) in row \(row): \(count) rows of \(columns.types.count)")
        }
        let columnType = columns.types[column]
        let value: Value? = result.withCell(row: row, column: column) { bytes in
            if let bytes { Value.decode(bytes, as: columnType) } else { Value.decodedNull }
        }
        guard let value else { throw mismatch(Value.self, row: row, column: column) }
        return value
    }

    private func mismatch<Value>(_ type: Value.Type, row: Int, column: Int) -> PostgresError {
        let isNull = result.withCell(row: row, column: column) { $0 == nil }
        let found = isNull ? "is NULL" : "of type \(columns.types[column]) does not hold"
        return PostgresError(.decoding, "column \(columns.names[column]) \(found), expected \(Value.self)")
    }
}

extension Rows: RandomAccessCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { count }
    package subscript(index: Int) -> Row { Row(rows: self, index: index) }
}

/// One row; a reference to its rows and a number.
package struct Row: Sendable {
    let rows: Rows
    let index: Int

    /// Reads the column of this name. See ``Rows/decode(_:row:column:)``.
    package subscript<Value: PostgresDecodable>(_ column: String, as type: Value.Type = Value.self) -> Value {
        get throws(PostgresError) { try rows.decode(row: index, column: rows.column(column)) }
    }

    /// Reads the column of this number, from 0. See ``Rows/decode(_:row:column:)``.
    package subscript<Value: PostgresDecodable>(_ column: Int, as type: Value.Type = Value.self) -> Value {
        get throws(PostgresError) { try rows.decode(row: index, column: column) }
    }
}

/// Readers of what most columns hold. The compiler takes these where it can, and they are compiled for their types; to find
/// out at run time what is to be read takes longer than reading a short value, and a mesh has tens of thousands of rows.
extension Row {
    package subscript(_ column: String) -> String {
        get throws(PostgresError) { try rows.decode(row: index, column: rows.column(column)) }
    }

    package subscript(_ column: String) -> Int64 {
        get throws(PostgresError) { try rows.decode(row: index, column: rows.column(column)) }
    }

    package subscript(_ column: String) -> JSONText {
        get throws(PostgresError) { try rows.decode(row: index, column: rows.column(column)) }
    }

    package subscript(_ column: String) -> PostgresTimestamp {
        get throws(PostgresError) { try rows.decode(row: index, column: rows.column(column)) }
    }
}

/// Names and types of a result's columns.
final class Columns: Sendable {
    let names: [String]
    let types: [PostgresType]

    static let none = Columns(names: [], types: [])

    private init(names: [String], types: [PostgresType]) {
        self.names = names
        self.types = types
    }

    init(of result: borrowing ResultHandle) {
        var names: [String] = []
        var types: [PostgresType] = []
        for column in 0..<result.columnCount {
            names.append(result.columnName(column))
            // The simple protocol answers in text, whatever the type.
            types.append(result.isBinary(column) ? result.columnType(column) : .text)
        }
        self.names = names
        self.types = types
    }

    /// A linear search: results have few columns, and comparing short strings is faster than hashing one.
    func index(of name: String) -> Int? { names.firstIndex(of: name) }
}
