package import Documents
package import MeshCore

/// A service, or one version of it, that requests go to.
package struct Destination: Document {
    /// A host name of a service (``HostName``). One that names no service may be a version of the rule's own host, as the
    /// early spelling has it; that is looked up when it is known which services exist.
    package var host: String
    /// A version of the service. `nil`: all of them.
    package var subset: Name?
    /// A port of the service. `nil`: the one that was called, or the service's only one.
    package var port: Int?

    package init() { self.init(host: "") }

    package init(host: String, subset: Name? = nil, port: Int? = nil) {
        self.host = host
        self.subset = subset
        self.port = port
    }

    package static let fields: [Field<Self>] = [
        .required("host", \.host, .host, early: ("name", .host), "The service."),
        .optional("subset", \.subset, .name, "A version of it. Default: all of them."),
        .optional(
            "port", \.port, .object(of: "number", .port, "One of the service's."),
            "Default: the one that was called, or the service's only one."),
    ]
}

/// A destination with its part of a rule's requests.
package struct RouteDestination: Document {
    package var destination: Destination
    /// The weight as documents have it: `nil` for an only destination, whose weight goes without saying.
    private var givenWeight: Int?
    package var headers: HeaderOperations

    package init() { self.init(destination: Destination(), weight: 100) }

    package init(destination: Destination, weight: Int, headers: HeaderOperations = HeaderOperations()) {
        self.destination = destination
        givenWeight = weight
        self.headers = headers
    }

    package static let fields: [Field<Self>] = [
        .required("destination", \.destination, .document, "Where requests go."),
        .optional(
            "weight", \.givenWeight, .integer(0...100),
            "Per cent of them. Default: 100 for an only destination, else 0."),
        .defaulted(
            "headers", \.headers, .documentUnlessEmpty, "What is changed of requests to it, and of its answers."),
    ]
    package static let schemaName: String? = nil

    /// Per cent, `0...100`; those of one rule add up to 100.
    package var weight: Int {
        get { givenWeight ?? 100 }
        set { givenWeight = newValue }
    }

    /// `route`: destinations whose weights add up to 100.
    ///
    /// Istio takes any weights as relative; here they must add up to 100, as they first had to, because a sum that does
    /// not is nearly always a slip that would silently shift traffic.
    static let list = Shape<[RouteDestination]>(
        schema: anyList.schema,
        read: { json, place, log in
            let before = log.count
            guard var list = anyList.read(json, place, log), log.count == before else { return nil }
            let isOnly = list.count == 1
            for index in list.indices where list[index].givenWeight == nil { list[index].weight = isOnly ? 100 : 0 }
            let sum = list.reduce(0) { $0 + $1.weight }
            if sum != 100 {
                log.report(place.pointer, .invalidValue, "the weights add up to \(sum); they must add up to 100")
            }
            return list
        },
        write: { list in
            guard list.count == 1 else { return anyList.write(list) }
            var list = list
            list[0].givenWeight = nil
            return anyList.write(list)
        })
    private static let anyList = Shape<[RouteDestination]>.list(of: .document, 1...64)
}

/// A destination that gets copies of requests; its answers are thrown away.
package struct HTTPMirror: Hashable, Sendable {
    package var destination: Destination
    /// `nil`: all requests.
    package var percentage: Percentage?
}

/// A part of requests in millionths: 1 000 000 is all of them. It is Envoy's finest denominator
/// (`envoy.type.v3.FractionalPercent`).
package struct Percentage: Document {
    /// `0...1_000_000`.
    package private(set) var partsPerMillion: UInt32

    package static let all = Percentage()

    package init() { partsPerMillion = 1_000_000 }

    /// - Parameter percent: `0...100`, rounded to the nearest millionth of all.
    init(percent: Double) {
        self.init()
        self.percent = percent
    }

    package static let schemaName: String? = nil
    package static let fields: [Field<Self>] = [
        .required("value", \.percent, .number(0...100), "Per cent.")
    ]

    private var percent: Double {
        get { Double(partsPerMillion) / 10_000 }
        set { partsPerMillion = UInt32((min(max(newValue, 0), 100) * 10_000).rounded()) }
    }
}

extension Shape where Value == Percentage {
    /// An early spelling: the whole per cent.
    static var wholePercent: Shape {
        Shape<Int>.integer(0...100).converted(
            to: { percent, _, _ in Percentage(percent: Double(percent)) },
            from: { Int($0.partsPerMillion / 10_000) })
    }
}
