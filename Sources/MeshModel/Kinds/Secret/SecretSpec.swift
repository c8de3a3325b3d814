package import Documents
package import MeshCore

/// Values that go in and are never shown again: they are stored sealed, beside the object. What is stored and answered as its `spec` has a
/// mark in the place of each value.
package struct SecretSpec: ResourceKind {
    package static let info = KindInfo("Secret", in: .namespace, roles: KindRoles(write: .developers))

    package enum SecretType: String, CaseIterable, Sendable {
        /// Values by name, of which the server knows no more.
        case opaque
    }

    package var type = SecretType.opaque
    /// By key. Not empty.
    package var data: [String: SecretValue] = [:]

    package init() {}

    private static let values = Shape<[String: SecretValue]>.map(
        of: .secretValue,
        note: "Keys are 1 to 253 letters, digits, `-`, `_` and `.`; \(Limits.keysPerSecret.rule).",
        key: { key, place, log in
            guard !SecretReference.isKey(key) else { return key }
            log.report(place.pointer, .invalidFormat, "the key \(SecretReference.keyRule)")
            return nil
        }, name: { $0 }
    ).checked { data, place, log in
        let limit = Limits.keysPerSecret
        if !limit.allows(data.count) {
            log.report(place.pointer, .tooMany, "has \(data.count) keys; allowed are \(limit.rule)")
        }
    }

    /// Also where none of the members has a value, of which something else is reported.
    private static let notEmpty = Shape<[String: SecretValue]>(
        schema: values.schema,
        read: { json, place, log in
            if json == .object([:]) { log.report(place.pointer, .required, "must not be empty") }
            return values.read(json, place, log)
        }, write: values.write)

    package static let fields: [Field<Self>] = [
        .required(
            "type", \.type,
            .choice(refused: [
                "tls": "nothing uses certificates of Secrets yet", "ca": "nothing uses authorities of Secrets yet",
            ]), "What is in it: opaque, values by name."),
        .required(
            "data", \.data, notEmpty,
            """
            The values. They are never answered: in the place of each stands a mark, {"size","version"}. A mark that is sent back keeps \
            the value that is stored.
            """),
    ]
    package static let summary: String? = """
        Values that the server uses for calls to others, such as tokens. They are stored sealed and can be written, but not read.
        """
}

extension Kind {
    package static let secret = kinds[SecretSpec.self]
}
