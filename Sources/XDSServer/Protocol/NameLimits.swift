/// Bounds on what one stream may ask for by name.
package struct NameLimits: Equatable, Sendable {
    /// Names of all types together.
    package var names = 200_000
    /// Bytes of all names of all types.
    package var nameBytes = 16 << 20
    /// The name of the limit ``names`` in messages; empty: it has none.
    package var namesLimitName = ""
    /// The name of the limit ``nameBytes`` in messages; empty: it has none.
    package var nameBytesLimitName = ""
    /// Bytes of one name, or of the URL of a type.
    var nameLength = 2_048
    /// Types that are not served but asked for.
    var unknownTypes = 64

    package init() {}

    var namesRule: String { "\(names) names\(namesLimitName.isEmpty ? "" : " (limit \(namesLimitName))")" }
    var nameBytesRule: String {
        "\(nameBytes) bytes\(nameBytesLimitName.isEmpty ? "" : " (limit \(nameBytesLimitName))")"
    }
}
