package import Documents
package import MeshCore

/// An outside source of figures: where it is, and by which credentials it is asked. A template only adds what is asked, so whoever
/// writes templates cannot send a credential elsewhere.
package struct MetricProviderSpec: ResourceKind {
    package static let info = KindInfo(
        "MetricProvider", in: .namespace, roles: KindRoles(write: .operators))

    package enum Source: String, CaseIterable, Sendable {
        /// A Prometheus, asked by its HTTP API.
        case prometheus
        /// Anybody who answers JSON documents.
        case httpJSON = "httpJson"
    }

    package struct Address: Document {
        /// With `http` or `https`, perhaps a path, and no query; at most 2048 bytes.
        package var url = ""
        /// How the provider knows who asks; `nil`: it need not.
        package var auth: ProviderAuth?

        package init() {}

        package static let schemaName: String? = nil
        package static let fields: [Field<Self>] = [
            .required(
                "url", \.url, Shape<String>.string(atMost: 2048).examples("https://prometheus.example.com"),
                "With https; with http only where the server may call such addresses (--egress-allow)."),
            .optional("auth", \.auth, .document, "How the provider knows who asks."),
            .refused("headers", "auth has what is sent along"),
        ]
    }

    package var source = Source.prometheus
    package var address = Address()
    /// `1s...5s`.
    package var timeout = Duration.seconds(5)

    package init() {}

    private struct Place: Hashable, Sendable {
        var source: Source
        var address: Address
    }

    private var place: Place {
        get { Place(source: source, address: address) }
        set { (source, address) = (newValue.source, newValue.address) }
    }

    package static let fields: [Field<Self>] = [
        .oneOf(
            \.place,
            Source.allCases.map { source in
                Case(
                    source.rawValue, .document,
                    source == .prometheus ? "A Prometheus." : "Anybody who answers JSON documents.",
                    make: { Place(source: source, address: $0) }, get: { $0.source == source ? $0.address : nil })
            }),
        .defaulted(
            "timeout", \.timeout, .duration(.seconds(1)...(.seconds(5))), isWritten: false,
            "How long an answer may take, in all."),
    ]
    package static let summary: String? = """
        Somebody who is asked for figures. Exactly one of prometheus and httpJson.
        """
}

extension MetricProviderSpec {
    /// The Secret that its credentials are in.
    package static func references(_ spec: Self, of key: ObjectKey) -> [Reference] {
        guard let auth = spec.address.auth else { return [] }
        return [Reference(to: auth.secret, at: auth.secretPointer(below: spec.authPointer), of: key)].compactMap(\.self)
    }

    private var authPointer: JSONPointer { .spec.appending(source.rawValue).appending("auth") }

    /// The place of what is wrong with ``ProviderAuth``.
    package func authPointer(_ members: String...) -> JSONPointer { members.reduce(authPointer) { $0.appending($1) } }
}

extension Kind {
    package static let metricProvider = kinds[MetricProviderSpec.self]
}
