/// Bounds on what one stream may ask for by name.
package struct NameLimits: Equatable, Sendable {
    /// Names of all types together.
    package var names = 200_000
    /// Bytes of all names of all types.
    package var nameBytes = 16 << 20
    /// How messages call the limit of ``names``; empty: not at all.
    package var namesLimit = ""
    /// How messages call the limit of ``nameBytes``.
    package var nameBytesLimit = ""
    /// Bytes of one name, or of the URL of a type.
    var nameLength = 2_048
    /// Types that are not served but asked for.
    var unknownTypes = 64

    package init() {}

    var namesRule: String { "\(names) names\(namesLimit.isEmpty ? "" : " (limit \(namesLimit))")" }
    var nameBytesRule: String { "\(nameBytes) bytes\(nameBytesLimit.isEmpty ? "" : " (limit \(nameBytesLimit))")" }
}
