/// The name of a table, column, channel or role, quoted so that any text is safe.
package struct SQLIdentifier: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The name as the catalogue has it, case kept.
    package let name: String

    package init(_ name: String) { self.name = name }

    package init(stringLiteral name: String) { self.init(name) }

    /// In double quotes, with quotes inside doubled (PostgreSQL 4.1.1). NUL, which no name can hold, is dropped.
    package var description: String {
        var quoted = "\""
        for character in name.unicodeScalars where character != "\0" {
            if character == "\"" { quoted.unicodeScalars.append(character) }
            quoted.unicodeScalars.append(character)
        }
        return quoted + "\""
    }
}
