package import Documents
package import MeshCore

/// An outside source of figures: where it is, and later with which credentials. A template only adds what is asked, so whoever
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

        package init() {}

        package static let schemaName: String? = nil
        package static let fields: [Field<Self>] = [
            .required(
                "url", \.url, Shape<String>.string(atMost: 2048).examples("https://prometheus.example.com"),
                "With https; with http only where the server may call such addresses (--egress-allow)."),
            .refused("auth", "there are no secrets yet"),
            .refused("headers", "there are no secrets yet"),
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

extension Kind {
    package static let metricProvider = kinds[MetricProviderSpec.self]
}
