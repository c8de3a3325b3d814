/// The place of a sealed value in the database. It is authenticated with the value: what was copied to another row, column or
/// tenant does not open there.
package struct SealedPlace: Hashable, Sendable {
    package var table: String
    /// The uid of the tenant's object, so that a tenant of a name that was used before cannot open what is left of the earlier one.
    package var tenant: String
    /// The parts of the row's key.
    package var row: [String]
    package var column: String

    package init(table: String, tenant: String, row: [String], column: String) {
        self.table = table
        self.tenant = tenant
        self.row = row
        self.column = column
    }

    /// Each part with its length before it, so that two places never have the same bytes.
    var bytes: [UInt8] {
        ([table, tenant, column] + row).flatMap { part in
            let text = Array(part.utf8)
            let length = UInt64(text.count)
            return (0..<8).map { UInt8(truncatingIfNeeded: length >> UInt64(56 - 8 * $0)) } + text
        }
    }
}
