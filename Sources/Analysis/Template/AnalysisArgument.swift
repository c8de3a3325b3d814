package import Documents

/// An argument of a template, which whoever uses the template gives a value.
package struct AnalysisArgument: Document {
    /// Letters, digits, `_` and `-`, beginning with a letter or `_`; 1 to 63 bytes.
    package var name = ""
    /// The value that holds where none is given; at most 512 bytes. `nil`: one must be given.
    package var value: String?

    package static let maxValueLength = 512

    package init() {}

    package init(_ name: String, value: String? = nil) {
        self.name = name
        self.value = value
    }

    package static let fields: [Field<Self>] = [
        .required("name", \.name, nameShape, "The name in `{{args.name}}`."),
        .optional("value", \.value, .bounded(maxValueLength), "Left out: whoever uses the template gives one."),
    ]
    package static let schemaName: String? = nil

    private static let nameShape = Shape<String>.string(atMost: 63).examples("p99ms").checked { name, place, log in
        guard !isName(name) else { return }
        log.report(
            place.pointer, .invalidFormat,
            "must be 1 to 63 letters, digits, \"_\" and \"-\", beginning with a letter or \"_\"")
    }

    static func isName(_ text: String) -> Bool {
        guard (1...63).contains(text.utf8.count), let first = text.utf8.first, isLetter(first) else { return false }
        return text.utf8.allSatisfy { isLetter($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-") }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (97...122).contains(byte | 0x20) || byte == 95 }
}

extension Shape where Value == String {
    /// A text of at most so many bytes.
    static func bounded(_ length: Int) -> Shape {
        string(atMost: length).checked { text, place, log in
            guard text.utf8.count > length, text.unicodeScalars.count <= length else { return }
            log.report(place.pointer, .tooLong, "must be at most \(length) bytes long")
        }
    }

    /// A text as ``bounded(_:)``, which says something.
    static func filled(_ length: Int) -> Shape {
        bounded(length).checked { text, place, log in
            if text.isEmpty { log.report(place.pointer, .required, "must not be empty") }
        }
    }
}
