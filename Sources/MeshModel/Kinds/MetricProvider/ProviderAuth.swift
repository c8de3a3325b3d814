package import Documents
package import MeshCore

/// The credentials of a metric provider: exactly one of three forms.
package struct ProviderAuth: Document {
    package enum Method: Hashable, Sendable {
        /// `Authorization: Bearer` and the value.
        case bearer(SecretReference)
        /// `Authorization: Basic` with the value as password.
        case basic(Basic)
        /// A header of any name, whose value is the Secret's.
        case header(Header)
    }

    package struct Basic: Document {
        /// Without a colon.
        package var username = ""
        package var password = SecretReference()

        package init() {}

        package static let schemaName: String? = nil
        package static let fields: [Field<Self>] = [
            .required(
                "username", \.username,
                Shape<String>.string(atMost: 256).checked { name, place, log in
                    let isWrong = name.isEmpty || name.contains(":") || name.utf8.contains { $0 < 0x20 || $0 == 0x7F }
                    if isWrong {
                        log.report(place.pointer, .invalidFormat, "must be a name without colon and control characters")
                    }
                }.examples("sluice"), "Without a colon."),
            .required("secretRef", \.password, .document, "Where the password stands."),
        ]
    }

    package struct Header: Document {
        package var name = ""
        package var value = SecretReference()

        package init() {}

        package static let schemaName: String? = nil
        package static let fields: [Field<Self>] = [
            .required("name", \.name, Shape<String>.string(atMost: 256).examples("X-Api-Key"), "The header's name."),
            .required("secretRef", \.value, .document, "Where the header's value stands."),
        ]
    }

    package var method = Method.bearer(SecretReference())

    package init() {}

    package static let fields: [Field<Self>] = [
        .oneOf(
            \.method,
            [
                Case(
                    "bearer", .secretRef, "Authorization: Bearer, with the value of a Secret.", make: { .bearer($0) },
                    get: { if case .bearer(let secret) = $0 { secret } else { nil } }),
                Case(
                    "basic", .document, "Authorization: Basic, with a password from a Secret.", make: { .basic($0) },
                    get: { if case .basic(let basic) = $0 { basic } else { nil } }),
                Case(
                    "header", .document, "A header of any name, with its value from a Secret.", make: { .header($0) },
                    get: { if case .header(let header) = $0 { header } else { nil } }),
            ])
    ]
    package static let summary: String? = """
        Exactly one of bearer, basic and header. It is sent with TLS only, or to addresses that --egress-allow opens.
        """
}

extension ProviderAuth {
    package var secret: SecretReference {
        switch method {
        case .bearer(let secret): secret
        case .basic(let basic): basic.password
        case .header(let header): header.value
        }
    }

    func secretPointer(below pointer: JSONPointer) -> JSONPointer {
        let form =
            switch method {
            case .bearer: "bearer"
            case .basic: "basic"
            case .header: "header"
            }
        return pointer.appending(form).appending("secretRef")
    }
}
