package import Documents

/// The name of a value in a Secret of the same namespace.
package struct SecretReference: Document {
    package var name = Name.blank
    /// The key of the Secret's `data`.
    package var key = ""

    package init() {}

    package init(name: Name, key: String) {
        self.name = name
        self.key = key
    }

    package static let fields: [Field<Self>] = [
        .required("name", \.name, .name, "Secret of the same namespace."),
        .required("key", \.key, .secretKey, "Key of its data."),
    ]
}

extension Shape where Value == SecretReference {
    /// `{"secretRef": {"name", "key"}}`.
    package static var secretRef: Shape { .object(of: "secretRef", .document, "Where the value stands.") }
}

extension Shape where Value == String {
    /// A key of a Secret's `data`.
    package static var secretKey: Shape {
        string(atMost: 253).examples("token").checked { key, place, log in
            if !SecretReference.isKey(key) { log.report(place.pointer, .invalidFormat, SecretReference.keyRule) }
        }
    }
}

extension SecretReference {
    package static let keyRule = "must be 1 to 253 letters, digits, \"-\", \"_\" and \".\""

    /// Whether a text can be a key of a Secret's `data`, as in the Kubernetes API.
    package static func isKey(_ text: String) -> Bool {
        (1...253).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "-_.".utf8.contains(byte)
                }
            }
    }
}
