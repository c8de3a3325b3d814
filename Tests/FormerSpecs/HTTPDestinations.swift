import Documents
import MeshCore

/// A service, or one version of it, that requests go to.
package struct Destination: Hashable, Sendable {
    /// A host name of a service (``HostName``). One that names no service may be a version of the rule's own host, as the
    /// early spelling has it; that is looked up when it is known which services exist.
    package var host: String
    /// A version of the service. `nil`: all of them.
    package var subset: Name?
    /// A port of the service. `nil`: the one that was called, or the service's only one.
    package var port: Int?

    package init(host: String, subset: Name? = nil, port: Int? = nil) {
        self.host = host
        self.subset = subset
        self.port = port
    }

    init?(reading reader: FieldReader) {
        var fields = reader
        let field = fields.spelling(of: "host", early: "name")
        var host: String?
        if let value = fields.value(field) {
            host = HostName.read(value, at: fields.pointer.appending(field), log: fields.log)
        } else {
            fields.require("host")
        }
        subset = fields.name("subset")
        if var nested = fields.object("port") {
            port = nested.integer("number", in: 1...65_535, required: true).map { Int($0) }
            nested.finish()
        }
        fields.finish()
        guard let host else { return nil }
        self.host = host
    }

    var json: JSONValue {
        .fields([
            "host": .string(host), "subset": subset.map { .string($0.text) },
            "port": port.map { ["number": .integer(Int64($0))] },
        ])
    }
}

/// A destination with its part of a rule's requests.
package struct RouteDestination: Hashable, Sendable {
    package var destination: Destination
    /// Per cent, `0...100`; those of one rule add up to 100.
    package var weight: Int
    package var headers: HeaderOperations

    /// Reads `route`.
    ///
    /// Istio takes any weights as relative; here they must add up to 100, as they first had to, because a sum that does
    /// not is nearly always a slip that would silently shift traffic.
    static func list(_ fields: inout FieldReader) -> [RouteDestination] {
        let items = fields.objects("route", required: true, atMost: 64)
        let here = fields.pointer.appending("route")
        let before = fields.log.count
        var destinations: [RouteDestination] = []
        for var item in items {
            let destination = item.object("destination", required: true).flatMap { Destination(reading: $0) }
            let weight = item.integer("weight", in: 0...100)
            let headers = item.object("headers").map { HeaderOperations(reading: $0) } ?? HeaderOperations()
            item.finish()
            guard let destination else { continue }
            destinations.append(
                RouteDestination(
                    destination: destination, weight: weight.map { Int($0) } ?? (items.count == 1 ? 100 : 0),
                    headers: headers))
        }
        guard fields.log.count == before, !destinations.isEmpty else { return destinations }
        let sum = destinations.reduce(0) { $0 + $1.weight }
        if sum != 100 {
            fields.log.report(here, .invalidValue, "the weights add up to \(sum); they must add up to 100")
        }
        return destinations
    }

    /// - Parameter isOnly: the weight of an only destination goes without saying.
    func json(isOnly: Bool) -> JSONValue {
        .fields([
            "destination": destination.json, "weight": isOnly ? nil : .integer(Int64(weight)), "headers": headers.json,
        ])
    }
}

/// Where a copy of requests goes; its answers are thrown away.
package struct HTTPMirror: Hashable, Sendable {
    package var destination: Destination
    /// `nil`: all requests.
    package var percentage: Percentage?

    /// Reads `mirror` and `mirrorPercentage` of a rule.
    init?(reading fields: inout FieldReader) {
        let destination = fields.object("mirror").flatMap { Destination(reading: $0) }
        percentage = Percentage.read("mirrorPercentage", early: "mirrorPercent", from: &fields)
        if percentage != nil && !fields.has("mirror") {
            fields.log.report(fields.pointer.appending("mirrorPercentage"), .conflict, "needs \"mirror\"")
        }
        guard let destination else { return nil }
        self.destination = destination
    }
}

/// A part of requests in millionths: 1 000 000 is all of them. It is Envoy's finest denominator
/// (`envoy.type.v3.FractionalPercent`).
package struct Percentage: Hashable, Sendable {
    /// `0...1_000_000`.
    package let partsPerMillion: UInt32

    package static let all = Percentage(trusted: 1_000_000)

    private init(trusted partsPerMillion: UInt32) { self.partsPerMillion = partsPerMillion }

    /// - Parameter percent: `0...100`, rounded to the nearest millionth of all.
    init?(percent: Double) {
        guard (0...100).contains(percent) else { return nil }
        self.init(trusted: UInt32((percent * 10_000).rounded()))
    }

    /// Reads `{"value": 12.5}`, or the whole per cent that the early field holds.
    static func read(_ name: String, early: String, from fields: inout FieldReader) -> Percentage? {
        if fields.spelling(of: name, early: early) == early {
            return fields.integer(early, in: 0...100).flatMap { Percentage(percent: Double($0)) }
        }
        guard var nested = fields.object(name) else { return nil }
        if !nested.has("value") { nested.require("value") }
        let percent = nested.number("value", in: 0...100)
        nested.finish()
        return percent.flatMap(Percentage.init)
    }

    var json: JSONValue {
        let isWhole = partsPerMillion % 10_000 == 0
        return [
            "value": isWhole ? .integer(Int64(partsPerMillion / 10_000)) : .number(Double(partsPerMillion) / 10_000)
        ]
    }
}
