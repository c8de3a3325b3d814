package import Documents
internal import MeshCore

/// Which endpoint of a service a request goes to, with the fields of Istio's `LoadBalancerSettings`.
package enum LoadBalancer: Document {
    package enum Simple: String, CaseIterable, Sendable {
        case leastRequest = "LEAST_REQUEST"
        case roundRobin = "ROUND_ROBIN"
        case random = "RANDOM"
    }

    case simple(Simple)
    case consistentHash(ConsistentHash)

    package init() { self = .simple(.leastRequest) }

    package static let fields: [Field<Self>] = [
        .oneOf(
            defaulting: \.self,
            [
                Case(
                    "simple", .choice(early: earlyNames),
                    "LEAST_REQUEST unless given; LEAST_CONN and UNSPECIFIED are early names of it.",
                    make: LoadBalancer.simple, get: { if case .simple(let simple) = $0 { simple } else { nil } }),
                Case(
                    "consistentHash", .document, "Requests that are equal in something go to the same endpoint.",
                    make: LoadBalancer.consistentHash,
                    get: { if case .consistentHash(let hash) = $0 { hash } else { nil } }),
            ]),
        .refused("localityLbSetting", "endpoints of all localities are used alike"),
        .refused("warmup", "new endpoints get their whole share at once"),
        .refused("warmupDurationSecs", "new endpoints get their whole share at once"),
        .refused("zoneAwareLbSetting", "endpoints of all localities are used alike"),
    ]
    package static let summary: String? = "Either simple or consistentHash."

    /// The values of early Istio, with those that they mean today; `UNSPECIFIED` is the default.
    private static let earlyNames = ["LEAST_CONN": Simple.leastRequest, "UNSPECIFIED": .leastRequest]
}

/// Requests that are equal in something go to the same endpoint, as long as it is there.
package struct ConsistentHash: Document {
    /// The part of a request that is hashed. A request without it goes to any endpoint.
    package enum Source: Hashable, Sendable {
        case header(String)
        case cookie(Cookie)
        /// The address of who connects. For calls from the workload to its own sidecar that is always the same.
        case sourceIP
        case queryParameter(String)
    }

    package enum Algorithm: Hashable, Sendable {
        case ringHash(Ring)
        case maglev(Maglev)
    }

    package struct Cookie: Document {
        package var name = ""
        package var path: String?
        /// With a lifetime, callers without the cookie are given one; zero: for their session.
        package var ttl: Duration?

        package init() {}

        package static let schemaName: String? = nil
        package static let fields: [Field<Self>] = [
            .required("name", \.name, .token.examples("session"), "The cookie's name."),
            .optional("path", \.path, .headerText, "The path of the cookie that callers are given."),
            .optional(
                "ttl", \.ttl, .duration(),
                "With it, callers without the cookie are given one; \"0s\" until their session ends."),
            .refused("attributes", "the cookie that callers are given has no others"),
        ]
    }

    package struct Ring: Document {
        /// At least so many places; `1...8_388_608`, as Envoy allows. `nil`, only while a document is read: ``standardSize``.
        fileprivate var minimumSize: Int?

        /// Istio's default.
        private static let standardSize = 1024
        fileprivate static let sizes = 1...8_388_608

        package var minimumRingSize: Int { minimumSize ?? Self.standardSize }

        package init() {}

        package static let schemaName: String? = nil
        package static let fields: [Field<Self>] = [
            .optional(
                "minimumRingSize", \.minimumSize, .integer(sizes), standard: standardSize,
                "At least so many places on the ring.")
        ]

        fileprivate mutating func fill() { minimumSize = minimumRingSize }
    }

    package struct Maglev: Document {
        /// So many places, a prime number up to 5 000 011, as Envoy allows. Default: Envoy's.
        package var tableSize = 65_537

        package init() {}

        package static let schemaName: String? = nil
        package static let fields: [Field<Self>] = [
            .defaulted("tableSize", \.tableSize, size, "So many places; a prime number.")
        ]
        private static let size = Shape<Int>.integer(2...5_000_011).examples(65_537).checked { size, place, log in
            if !size.isPrime { log.report(place.pointer, .invalidValue, "must be a prime number") }
        }
    }

    package var source: Source
    package var algorithm: Algorithm

    package init() {
        source = .sourceIP
        algorithm = .ringHash(Ring())
    }

    package static let fields: [Field<Self>] = [
        .oneOf(
            \.source,
            [
                Case(
                    "httpHeaderName", .token, "The header's name.", make: Source.header,
                    get: { if case .header(let name) = $0 { name } else { nil } }),
                Case(
                    "httpCookie", .document, "A cookie.", make: Source.cookie,
                    get: { if case .cookie(let cookie) = $0 { cookie } else { nil } }),
                Case(
                    "useSourceIp", .bool,
                    "The address of who connects. For calls from the workload to its own sidecar that is always the same.",
                    isOne: { $0 }, make: { _ in .sourceIP }, get: { $0 == .sourceIP ? true : nil }),
                Case(
                    "httpQueryParameterName", .headerText, "The name of a query parameter.",
                    make: Source.queryParameter, get: { if case .queryParameter(let name) = $0 { name } else { nil } }),
            ]),
        .oneOf(
            defaulting: \.algorithm,
            [
                Case(
                    "ringHash", .document, "The default.", make: Algorithm.ringHash,
                    get: { if case .ringHash(let ring) = $0 { ring } else { nil } }),
                Case(
                    "maglev", .document, "Spreads more evenly; more requests move when endpoints change.",
                    make: Algorithm.maglev, get: { if case .maglev(let maglev) = $0 { maglev } else { nil } }),
            ]),
        .early("minimumRingSize", of: "ringHash", .integer(Ring.sizes), "Stands in ringHash today.") { hash, size in
            guard case .ringHash(var ring) = hash.algorithm, ring.minimumSize == nil else { return }
            ring.minimumSize = size
            hash.algorithm = .ringHash(ring)
        },
    ]
    package static let summary: String? = """
        Exactly one of httpHeaderName, httpCookie, useSourceIp and httpQueryParameterName; at most one of ringHash and maglev.
        """

    package mutating func finish(_ reading: Members) {
        switch algorithm {
        case .ringHash(var ring):
            ring.fill()
            algorithm = .ringHash(ring)
        case .maglev where reading.isRead("minimumRingSize"):
            reading.report("maglev", .conflict, "stands beside a ring; only one of them can hold")
        case .maglev: return
        }
    }
}

extension Int {
    fileprivate var isPrime: Bool {
        guard self > 3 else { return self > 1 }
        guard !isMultiple(of: 2) else { return false }
        var divisor = 3
        while divisor * divisor <= self {
            if isMultiple(of: divisor) { return false }
            divisor += 2
        }
        return true
    }
}
