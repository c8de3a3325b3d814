package import Documents
package import MeshCore

/// The origin of a metric's values.
package struct MetricProvider: Document {
    package enum Query: Hashable, Sendable {
        /// A figure that the server has itself.
        case builtin(BuiltinMetric)
        case prometheus(PrometheusQuery)
        case httpJSON(HTTPJSONQuery)
    }

    package var query: Query
    /// The bound of ``BuiltinMetric/slowRequestRatio``.
    package var over: Duration?

    package init(_ query: Query, over: Duration? = nil) {
        self.query = query
        self.over = over
    }

    package init() { self.init(.builtin(.requestRate)) }

    package static let fields: [Field<Self>] = [
        .oneOf(
            \.query,
            [
                Case(
                    "builtin", .choice, "A figure that the server has of every version.", make: Query.builtin,
                    get: { if case .builtin(let metric) = $0 { metric } else { nil } }),
                Case(
                    "prometheus", .document, "A query of a Prometheus.", make: Query.prometheus,
                    get: { if case .prometheus(let query) = $0 { query } else { nil } }),
                Case(
                    "httpJson", .document, "A number in a JSON document.", make: Query.httpJSON,
                    get: { if case .httpJSON(let query) = $0 { query } else { nil } }),
            ]),
        .optional("over", \.over, .ladderBound, BuiltinSeries.overDescription),
    ]
    /// Not the kind that a metric's `ref` names.
    package static let schemaName: String? = "MetricSource"
    package static let summary: String? = "Exactly one of builtin, prometheus and httpJson."

    package func finish(_ reading: Members) {
        if let series {
            series.checkBound(reading, isRead: reading.isRead("builtin"))
        } else if reading.isRead("over") {
            reading.report("over", .conflict, "means something to slow-request-ratio only")
        }
    }

    /// The figure that the server has itself; `nil` of an outside provider.
    package var series: BuiltinSeries? {
        guard case .builtin(let metric) = query else { return nil }
        return BuiltinSeries(metric, over: over)
    }
}

/// An instant query of PromQL.
package struct PrometheusQuery: Document {
    /// The name of a metric provider.
    package var ref = Name.blank
    /// 1 to 4096 bytes.
    package var query = ""

    package static let maxLength = 4096

    package init() {}

    package init(ref: Name, query: String) {
        self.ref = ref
        self.query = query
    }

    package static let fields: [Field<Self>] = [
        .required("ref", \.ref, .name, "The name of a metric provider, which has the address and credentials."),
        .required(
            "query", \.query, .filled(maxLength),
            """
            PromQL, for one number, at the end of the window. `{{window}}`, `{{start}}` and `{{end}}` stand for it, and \
            `{{args.name}}` for an argument, which inside of "…" may be any text.
            """),
    ]
    package static let schemaName: String? = nil
}

/// A number in a JSON document that somebody serves.
package struct HTTPJSONQuery: Document {
    /// The name of a metric provider.
    package var ref = Name.blank
    /// Begins with `/`; at most 2048 bytes.
    package var path = "/"
    /// The part behind `?`, without it; at most 4096 bytes.
    package var query: String?
    /// A JSON Pointer (RFC 6901) to the number, at most 512 bytes. Empty: the whole document.
    package var pointer = ""

    package init() {}

    package init(ref: Name, path: String, query: String? = nil, pointer: String) {
        self.ref = ref
        self.path = path
        self.query = query
        self.pointer = pointer
    }

    package static let fields: [Field<Self>] = [
        .required("ref", \.ref, .name, "The name of a metric provider, which has the address and credentials."),
        .required(
            "path", \.path, .filled(maxPathLength),
            "Begins with `/`; `{{args.name}}`, `{{window}}`, `{{start}}` and `{{end}}` may stand in it."),
        .optional("query", \.query, .bounded(maxQueryLength), "Behind the path and `?`; with placeholders too."),
        .required("pointer", \.pointer, pointerShape, "A JSON Pointer (RFC 6901) to the number."),
    ]
    package static let schemaName: String? = nil

    static let maxPathLength = 2048
    static let maxQueryLength = 4096

    private static let pointerShape = Shape<String>.bounded(512).examples("/data/0/value").checked {
        pointer, place, log in
        let pieces = pointer.utf8.split(separator: UInt8(ascii: "~"), omittingEmptySubsequences: false)
        let isEscaped = pieces.dropFirst().allSatisfy { $0.first == UInt8(ascii: "0") || $0.first == UInt8(ascii: "1") }
        guard !isEscaped || !(pointer.isEmpty || pointer.hasPrefix("/")) else { return }
        log.report(
            place.pointer, .invalidFormat, "must be a JSON Pointer (RFC 6901): empty, or beginning with \"/\"")
    }

    /// The reason why a text without placeholders, or its part, is no path; `nil` if it is one.
    static func pathProblem(_ path: String) -> String? {
        guard path.hasPrefix("/") else { return "must begin with \"/\"" }
        guard path.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"?#\\".utf8.contains($0) }) else {
            return "must have only printable ASCII characters, no blanks, \"?\", \"#\" and \"\\\"; others are %-encoded"
        }
        let decoded = path.replacing("%2e", with: ".").replacing("%2E", with: ".")
        guard !decoded.split(separator: "/").contains(where: { $0 == "." || $0 == ".." }) else {
            return "must not have \".\" and \"..\" between slashes"
        }
        return nil
    }

    /// The reason why a text without placeholders is no query; `nil` if it is one.
    static func queryProblem(_ query: String) -> String? {
        guard !query.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }) else { return nil }
        return "must have only printable ASCII characters, no blanks and \"#\"; others are %-encoded"
    }
}
