/// The name of an object: a DNS label (RFC 1123 section 2.1): 1 to 63 lower-case letters, digits and `-`, beginning and
/// ending with a letter or digit.
///
/// Names become parts of host names, Envoy cluster names and URLs, so nothing else is ever let in.
package struct Name: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let text: String

    package static let rule =
        "must be a DNS label: 1 to 63 lower-case letters, digits and \"-\", beginning and ending with a letter or digit"

    /// - Returns: `nil` if `text` is no DNS label.
    package init?(_ text: String) {
        let bytes = text.utf8
        guard (1...63).contains(bytes.count), let first = bytes.first, let last = bytes.last else { return nil }
        guard first != UInt8(ascii: "-"), last != UInt8(ascii: "-") else { return nil }
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                continue
            default: return nil
            }
        }
        self.text = text
    }

    private init(trusted text: String) { self.text = text }

    /// Stands where a required name is missing, in a document that is being read; no name that is read is equal to it.
    package static let blank = Name(trusted: "")
    /// The mesh that every tenant has.
    package static let defaultMesh = Name(trusted: "default")
    /// The root namespace of a mesh that names no other.
    package static let defaultRootNamespace = Name(trusted: "istio-system")

    package var description: String { text }
    package static func < (a: Name, b: Name) -> Bool { a.text < b.text }
}
