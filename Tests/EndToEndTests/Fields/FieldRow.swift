import Documents
import MeshLab
import Testing

/// One field of a document with what it does to requests: an expectation that holds with the field, and does not without it.
///
/// In documents and hosts, `$host` stands for the name of a service of the row's own, which has the versions v1, v2 and v3.
struct FieldRow: Sendable {
    /// What else there is for a row.
    enum Surroundings: Sendable {
        /// One port, 9080.
        case plain
        /// A second port 9081, where other workloads listen: `alt-v1` and so on.
        case twoPorts
        /// A fourth endpoint, where nobody listens.
        case deadEndpoint
        /// The port speaks HTTP/2.
        case http2
    }

    /// A pointer into ``spec``.
    var field: String
    /// With the field.
    var spec: JSONValue
    /// What takes the field's place in the document that is compared; `nil`: nothing.
    var against: JSONValue?
    /// The document that is compared, if it is not just another value that makes it.
    var without: JSONValue?
    /// Another object that holds in both cases: its collection and spec.
    var beside: (collection: String, spec: JSONValue)?
    var surroundings = Surroundings.plain
    /// Of a release: what is written to an object of its service once it waits for a decision: the object and a merge patch of
    /// its spec.
    var deed: (object: String, patch: JSONValue)?
    var asks: [Ask] = [Ask()]
    /// Whether it may be asked again while the expectation is waited for. Not where answers are counted by Envoy.
    var asksAgain = true
    var expectation: Expectation
    var location: SourceLocation

    init(
        _ field: String, _ spec: JSONValue, against: JSONValue? = nil, without: JSONValue? = nil,
        beside: (collection: String, spec: JSONValue)? = nil, in surroundings: Surroundings = .plain,
        deed: (object: String, patch: JSONValue)? = nil, asks: [Ask] = [Ask()], asksAgain: Bool = true,
        _ expectation: Expectation,
        at location: SourceLocation = #_sourceLocation
    ) {
        self.field = field
        self.spec = spec
        self.against = against
        self.without = without
        self.beside = beside
        self.surroundings = surroundings
        self.deed = deed
        self.asks = asks
        self.asksAgain = asksAgain
        self.expectation = expectation
        self.location = location
    }

    /// The field by which the row counts: without the places in lists and the keys of maps.
    var pattern: String { AcceptedFields.pattern(tokens) }

    private var tokens: [String] { field.split(separator: "/").map { String($0) } }

    /// The document that is compared.
    var comparison: JSONValue { without ?? spec.replacing(tokens.dropFirst(), with: against) }
}

/// Requests of one kind.
struct Ask: Sendable {
    var request: Caller.Request
    /// `$host` with what is put behind it.
    var host: String
    var times: Int
    /// At the same time, rather than one after the other.
    var atOnce: Bool

    init(
        _ path: String = "/", _ headers: KeyValuePairs<String, String> = [:], method: String = "GET",
        host: String = "$host", times: Int = 1, atOnce: Bool = false
    ) {
        request = Caller.Request(method: method, path: path, headers: headers.map { ($0.key, $0.value) })
        self.host = host
        self.times = times
        self.atOnce = atOnce
    }
}

/// What was seen of one of the two documents.
struct Observation: Sendable {
    /// In the order of the requests.
    var answers: [Caller.Answer]
    /// The row's service.
    var host: String
    var lab: FieldLab

    /// The lines of an answer of Envoy's administration interface that are about the service's cluster.
    func cluster(_ path: String, port: Int = 9080, version: String = "") async throws -> [Substring] {
        let name = "outbound|\(port)|\(version)|\(host).\(FieldLab.namespace).svc.cluster.local"
        return try await lab.sidecar.admin(path).split(separator: "\n").filter { $0.contains(name) }
    }
}

/// A condition on what is seen, with its words.
struct Expectation: Sendable {
    let text: String
    let holds: @Sendable (Observation) async throws -> Bool

    init(_ text: String, _ holds: @escaping @Sendable (Observation) async throws -> Bool) {
        self.text = text
        self.holds = holds
    }

    private static func every(_ text: String, _ holds: @escaping @Sendable (Caller.Answer) -> Bool) -> Expectation {
        Expectation(text) { !$0.answers.isEmpty && $0.answers.allSatisfy(holds) }
    }

    // MARK: Answers

    /// The versions that answer, request by request.
    static func versions(_ versions: String...) -> Expectation {
        Expectation("answers come from \(versions)") { $0.answers.map { $0.version ?? "" } == versions }
    }

    static func only(_ version: String) -> Expectation {
        every("all answers come from \(version)") { $0.version == version }
    }

    static func status(_ status: Int) -> Expectation { every("the status is \(status)") { $0.status == status } }

    static func anyStatus(_ status: Int) -> Expectation {
        Expectation("one status is \(status)") { $0.answers.contains { $0.status == status } }
    }

    static func body(_ text: String) -> Expectation { every("the body is \(text)") { $0.text == text } }

    /// - Parameter value: `nil`: absent.
    static func answered(_ header: String, _ value: String?) -> Expectation {
        every("the answer's \(header) is \(value ?? "absent")") { $0.headers[header] == value }
    }

    static func answered(_ header: String, has part: String) -> Expectation {
        every("the answer's \(header) has \(part)") { $0.headers[header]?.contains(part) == true }
    }

    static func lasts(atLeast limit: Duration) -> Expectation {
        every("it takes at least \(limit)") { $0.duration >= limit }
    }

    // MARK: What the workload was asked

    /// - Parameter value: `nil`: absent.
    static func saw(_ header: String, _ value: String?) -> Expectation {
        every("the workload saw \(header) \(value ?? "absent")") {
            $0.status == 200 && $0.body["headers"]?[header]?.stringValue == value
        }
    }

    static func sawPath(_ path: String) -> Expectation {
        every("the workload saw the path \(path)") { $0.body["path"]?.stringValue == path }
    }

    static func sawHost(_ host: String) -> Expectation {
        every("the workload saw the host \(host)") { $0.body["host"]?.stringValue == host }
    }

    /// How many of the requests that carry an `x-lab-id` a workload was sent, as copies or not.
    static func copies(at version: String, _ count: ClosedRange<Int>) -> Expectation {
        Expectation("\(version) was sent \(count) of the requests") { seen in
            count.contains(seen.lab.requests(seen.host, at: version))
        }
    }

    // MARK: Endpoints and connections

    static let oneEndpoint = Expectation("all answers come from one endpoint") { seen in
        seen.answers.allSatisfy { $0.status == 200 } && Set(seen.answers.map(\.version)).count == 1
    }

    static let rotation = Expectation("endpoints take turns") { isRotation($0.answers) }
    static let noRotation = Expectation("endpoints do not take turns") { !isRotation($0.answers) }

    private static func isRotation(_ answers: [Caller.Answer]) -> Bool {
        let versions = answers.map(\.version)
        return Set(versions.prefix(3)).count == 3
            && versions.indices.dropFirst(3).allSatisfy {
                versions[$0] == versions[$0 - 3]
            }
    }

    /// As many connections as answers.
    static let ownConnections = Expectation("each request has a connection of its own") { seen in
        let connections = seen.answers.compactMap { $0.body["connection"]?.integerValue }
        return connections.count > 1 && Set(connections).count == connections.count
    }

    static let oneConnection = Expectation("all requests come over one connection") { seen in
        let connections = seen.answers.compactMap { $0.body["connection"]?.integerValue }
        return connections.count > 1 && Set(connections).count == 1
    }

    // MARK: What Envoy says

    /// A figure of a cluster, as `/clusters` has it: `default_priority::max_retries::3`.
    static func clusterHas(_ text: String, port: Int = 9080, version: String = "") -> Expectation {
        Expectation("Envoy's cluster has \(text)") { seen in
            try await seen.cluster("/clusters", port: port, version: version).contains { $0.contains("::\(text)") }
        }
    }

    /// A statistic of the service's cluster.
    static func statistic(_ name: String, _ range: ClosedRange<Int>) -> Expectation {
        Expectation("Envoy's \(name) is in \(range)") { seen in
            try await seen.statistic(name).map { range.contains($0) } ?? false
        }
    }

    /// A part of the cluster's configuration as Envoy has accepted it, for what does not show within seconds.
    static func acceptedCluster(_ path: [String], _ value: JSONValue, version: String = "") -> Expectation {
        Expectation("Envoy accepted \(path.joined(separator: ".")) \(value)") { seen in
            var place: JSONValue? = try await seen.lab.acceptedCluster(of: seen.host, version: version)
            for name in path { place = Int(name).map { place?.arrayValue?[checked: $0] } ?? place?[name] }
            return place == value
        }
    }

    // MARK: What the API says

    /// A condition on a release's status.
    static func release(_ text: String, _ holds: @escaping @Sendable (JSONValue) -> Bool) -> Expectation {
        Expectation(text) { seen in holds(try await seen.lab.release(of: seen.host)) }
    }

    static func both(_ first: Expectation, _ second: Expectation) -> Expectation {
        Expectation("\(first.text), and \(second.text)") {
            guard try await first.holds($0) else { return false }
            return try await second.holds($0)
        }
    }
}

extension Observation {
    func statistic(_ name: String, version: String = "") async throws -> Int? {
        let lines = try await cluster("/stats?filter=\(host)%5C.", version: version)
        return lines.first { $0.contains(".\(name): ") }.flatMap { $0.split(separator: " ").last }.flatMap { Int($0) }
    }
}

extension Array {
    fileprivate subscript(checked index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}

extension JSONValue {
    /// The document with another value at a place, or without it.
    func replacing(_ path: ArraySlice<String>, with value: JSONValue?) -> JSONValue {
        guard let name = path.first else { return value ?? .null }
        switch self {
        case .object(var members):
            if path.count == 1 {
                members[name] = value
            } else {
                members[name] = members[name]?.replacing(path.dropFirst(), with: value)
            }
            return .object(members)
        case .array(var elements):
            guard let index = Int(name), elements.indices.contains(index) else { return self }
            if path.count > 1 {
                elements[index] = elements[index].replacing(path.dropFirst(), with: value)
            } else if let value {
                elements[index] = value
            } else {
                elements.remove(at: index)
            }
            return .array(elements)
        default: return self
        }
    }

    /// The document with a text in the place of another one, wherever it stands.
    func replacing(_ text: String, with other: String) -> JSONValue {
        switch self {
        case .string(let string): .string(string.replacing(text, with: other))
        case .array(let elements): .array(elements.map { $0.replacing(text, with: other) })
        case .object(let members): .object(members.mapValues { $0.replacing(text, with: other) })
        default: self
        }
    }
}
