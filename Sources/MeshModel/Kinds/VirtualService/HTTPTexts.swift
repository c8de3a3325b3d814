internal import Documents
internal import MeshCore

extension Shape where Value == String {
    /// A string that becomes part of a header.
    static var headerText: Shape {
        string().converted(
            to: { text, place, log in
                guard !text.isEmpty, HTTPToken.isFieldValue(text) else {
                    log.report(place.pointer, .invalidFormat, "must not be empty and \(HTTPToken.valueRule)")
                    return nil
                }
                return text
            }, from: { $0 })
    }

    /// A string that becomes a path, or the beginning of one.
    static var pathText: Shape {
        headerText.checked { text, place, log in
            if !text.hasPrefix("/") {
                log.reportIfNew(place.pointer, .invalidValue, "must begin with /: it becomes the path")
            }
        }.examples("/v2")
    }
}

extension HTTPToken {
    static let valueRule = "must be text without control characters (RFC 9110 section 5.5)"

    /// Whether `text` may be the value of a header.
    static func isFieldValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }
    }
}
