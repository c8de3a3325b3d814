package import Documents
package import MeshCore

/// A value of a Secret: one that is given now, or the mark of one that is stored. It is written, compared and printed as its mark, so that nothing
/// that is made of a spec has the value in it.
package struct SecretValue: Hashable, Sendable {
    package var mark: SecretMark
    /// The value, if it is given now.
    package let given: Secret<String>?

    package init(_ mark: SecretMark) {
        self.mark = mark
        given = nil
    }

    /// - Parameter text: not empty.
    package init(given text: String) {
        mark = SecretMark(size: SecretMark.Size(bytes: text.utf8.count), version: 0)
        given = Secret(text)
    }

    package static func == (a: Self, b: Self) -> Bool { a.mark == b.mark }
    package func hash(into hasher: inout Hasher) { hasher.combine(mark) }
}

/// The sign that stands for a value: about how long that is, and how often the Secret's values were written until then.
package struct SecretMark: Document {
    package enum Size: String, CaseIterable, Sendable {
        case upTo64B, upTo1KiB, upTo16KiB, upTo64KiB

        init(bytes: Int) {
            self =
                switch bytes {
                case ...64: .upTo64B
                case ...1024: .upTo1KiB
                case ...16_384: .upTo16KiB
                default: .upTo64KiB
                }
        }
    }

    package var size = Size.upTo64B
    /// Grows with each write of the value, also of an equal one, so that it tells nothing of it. 0: not stored yet.
    package var version = 0

    package init() {}

    package init(size: Size, version: Int) {
        self.size = size
        self.version = version
    }

    package static let schemaName: String? = nil
    package static let fields: [Field<Self>] = [
        .required("size", \.size, .choice, "About how long the value is."),
        .required("version", \.version, .integer(0...maxVersion), "Grows whenever the value is written."),
    ]

    package static let maxVersion = 1 << 53
}

extension Shape where Value == SecretValue {
    static var secretValue: Shape {
        let text = Shape<String>.text
        let mark = Shape<SecretMark>.document
        return Shape(
            schema: .value(
                [
                    "anyOf": [
                        ["type": "string", "minLength": 1, "maxLength": .integer(Int64(Limits.secretBytes.value))],
                        [
                            "type": "object",
                            "properties": [
                                "size": [
                                    "type": "string",
                                    "enum": .array(SecretMark.Size.allCases.map { .string($0.rawValue) }),
                                ],
                                "version": ["type": "integer"],
                            ],
                        ],
                    ], "examples": [["size": "upTo64B", "version": 1]],
                ], note: "A string is a new value, the mark that is answered keeps the stored one."),
            read: { json, place, log in
                if case .object = json { return mark.read(json, place, log).map(SecretValue.init) }
                guard let text = text.read(json, place, log) else { return nil }
                guard !text.isEmpty else {
                    log.report(place.pointer, .required, "must not be empty")
                    return nil
                }
                let limit = Limits.secretBytes
                guard limit.allows(text.utf8.count) else {
                    log.report(place.pointer, .tooLong, "has \(text.utf8.count) bytes; allowed are \(limit.rule)")
                    return nil
                }
                return SecretValue(given: text)
            }, write: { $0.mark.json })
    }
}
