import Documents
import MeshCore

/// Which endpoint of a service a request goes to, with the fields of Istio's `LoadBalancerSettings`.
package enum LoadBalancer: Hashable, Sendable {
    package enum Simple: String, CaseIterable, Sendable {
        case leastRequest = "LEAST_REQUEST"
        case roundRobin = "ROUND_ROBIN"
        case random = "RANDOM"
    }

    case simple(Simple)
    case consistentHash(ConsistentHash)

    /// What Istio's early names mean today; an unspecified one is the default.
    private static let earlyNames = ["LEAST_CONN": Simple.leastRequest, "UNSPECIFIED": .leastRequest]

    init(reading reader: FieldReader) {
        var fields = reader
        let here = fields.pointer
        var simple: Simple?
        if let text = fields.string("simple") {
            simple = Simple(rawValue: text) ?? Self.earlyNames[text]
            if simple == nil {
                let choices = Simple.allCases.map(\.rawValue)
                fields.log.report(
                    here.appending("simple"), .invalidValue, "must be one of \(choices.joined(separator: ", "))",
                    choices: choices)
            }
        }
        let hash = fields.object("consistentHash").map { ConsistentHash(reading: $0) }
        fields.refuse(["localityLbSetting", "warmup", "warmupDurationSecs", "zoneAwareLbSetting"])
        fields.finish()
        if fields.has("simple") && hash != nil {
            fields.log.report(
                here.appending("consistentHash"), .conflict, "stands beside \"simple\"; only one of them can hold")
        }
        self = (hash ?? nil).map { .consistentHash($0) } ?? .simple(simple ?? .leastRequest)
    }

    var json: JSONValue {
        switch self {
        case .simple(let simple): ["simple": .string(simple.rawValue)]
        case .consistentHash(let hash): ["consistentHash": hash.json]
        }
    }
}

/// Requests that are equal in something go to the same endpoint, as long as it is there.
package struct ConsistentHash: Hashable, Sendable {
    /// What requests must be equal in. A request that has none of it goes anywhere.
    package enum Source: Hashable, Sendable {
        case header(String)
        /// With a lifetime, callers without the cookie are given one; zero: for their session.
        case cookie(name: String, path: String?, ttl: Duration?)
        /// The address of who connects. For calls from the workload to its own sidecar that is always the same.
        case sourceIP
        case queryParameter(String)
    }

    package enum Algorithm: Hashable, Sendable {
        /// With at least so many places on the ring; `1...8_388_608`, as Envoy allows.
        case ringHash(minimumRingSize: Int)
        /// With so many places, a prime number up to 5 000 011, as Envoy allows.
        case maglev(tableSize: Int)
    }

    package var source: Source
    package var algorithm: Algorithm

    private static let ringSizes: ClosedRange<Int64> = 1...8_388_608
    /// Istio's default.
    private static let standardRingSize = 1024
    private static let tableSizes: ClosedRange<Int64> = 2...5_000_011
    /// Envoy's default.
    private static let standardTableSize = 65_537

    init?(reading reader: FieldReader) {
        var fields = reader
        let sources = Self.sources(&fields)
        let algorithm = Self.algorithm(&fields)
        fields.finish()
        let names = ["httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"]
        let given = names.filter { fields.has($0) && ($0 != "useSourceIp" || sources.contains(.sourceIP)) }
        if given.count != 1 {
            fields.log.report(
                fields.pointer, given.isEmpty ? .required : .conflict,
                "must have exactly one of \(names.joined(separator: ", "))", choices: names)
        }
        guard let source = sources.first else { return nil }
        self.source = source
        self.algorithm = algorithm
    }

    private static func sources(_ fields: inout FieldReader) -> [Source] {
        var sources: [Source] = []
        if let name = token("httpHeaderName", &fields) { sources.append(.header(name)) }
        if var cookie = fields.object("httpCookie") {
            if !cookie.has("name") { cookie.require("name") }
            let name = token("name", &cookie)
            let path = cookie.headerText("path")
            let ttl = cookie.duration("ttl")
            cookie.refuse(["attributes"])
            cookie.finish()
            if let name { sources.append(.cookie(name: name, path: path, ttl: ttl)) }
        }
        if fields.bool("useSourceIp") == true { sources.append(.sourceIP) }
        if let name = fields.headerText("httpQueryParameterName") { sources.append(.queryParameter(name)) }
        return sources
    }

    /// The name of a header or cookie.
    private static func token(_ field: String, _ fields: inout FieldReader) -> String? {
        guard let name = fields.string(field, maxLength: 256) else { return nil }
        guard HTTPToken.isValid(name) else {
            fields.log.report(fields.pointer.appending(field), .invalidFormat, HeaderOperations.nameRule)
            return nil
        }
        return name
    }

    private static func algorithm(_ fields: inout FieldReader) -> Algorithm {
        // In early versions of the API the size stood beside the source.
        let early = fields.integer("minimumRingSize", in: ringSizes)
        var ring = fields.object("ringHash")
        let size = ring?.integer("minimumRingSize", in: ringSizes)
        ring?.finish()
        guard var maglev = fields.object("maglev") else {
            return .ringHash(minimumRingSize: (size ?? early).map { Int($0) } ?? standardRingSize)
        }
        let table = maglev.integer("tableSize", in: tableSizes).map { Int($0) } ?? standardTableSize
        if !table.isPrime {
            maglev.log.report(maglev.pointer.appending("tableSize"), .invalidValue, "must be a prime number")
        }
        maglev.finish()
        if ring != nil || early != nil {
            maglev.log.report(maglev.pointer, .conflict, "stands beside a ring; only one of them can hold")
        }
        return .maglev(tableSize: table)
    }

    var json: JSONValue {
        var members: [String: JSONValue] = [:]
        switch source {
        case .header(let name): members["httpHeaderName"] = .string(name)
        case .cookie(let name, let path, let ttl):
            members["httpCookie"] = .fields([
                "name": .string(name), "path": path.map(JSONValue.string), "ttl": ttl.map { .string($0.text) },
            ])
        case .sourceIP: members["useSourceIp"] = true
        case .queryParameter(let name): members["httpQueryParameterName"] = .string(name)
        }
        switch algorithm {
        case .ringHash(let size): members["ringHash"] = ["minimumRingSize": .integer(Int64(size))]
        case .maglev(let size): members["maglev"] = ["tableSize": .integer(Int64(size))]
        }
        return .object(members)
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
