import Documents
import MeshCore

/// One rule of a ``VirtualServiceSpec``: which requests, and what becomes of them.
package struct HTTPRule: Hashable, Sendable {
    package enum Action: Hashable, Sendable {
        /// At least one; weights add up to 100.
        case route([RouteDestination])
        case redirect(HTTPRedirect)
        case directResponse(HTTPDirectResponse)
    }

    /// For people and for names of routes; at most 200 bytes.
    package var name: String?
    /// Any of them must hold; empty: all requests.
    package var match: [HTTPMatch]
    package var action: Action
    package var rewrite: HTTPRewrite?
    /// For the whole request with its retries. `nil` and zero: none.
    package var timeout: Duration?
    /// `nil`: ``HTTPRetries/standard``.
    package var retries: HTTPRetries?
    package var fault: HTTPFault?
    package var mirror: HTTPMirror?
    package var headers: HeaderOperations
    /// An estimate of the instructions of the regexes that are not in ``match``.
    package let regexSize: Int

    private static let unsupported = ["delegate", "corsPolicy", "mirrors"]

    init?(reading reader: FieldReader) {
        var fields = reader
        name = fields.string("name", maxLength: 200)
        match = fields.objects("match", atMost: 64).map { HTTPMatch(reading: $0) }
        let before = fields.log.regexSize
        rewrite = fields.object("rewrite").flatMap { HTTPRewrite(reading: $0) }
        regexSize = fields.log.regexSize - before
        timeout = fields.duration("timeout")
        retries = fields.object("retries").flatMap { HTTPRetries(reading: $0) }
        fault = fields.object("fault").map { HTTPFault(reading: $0) }
        mirror = HTTPMirror(reading: &fields)
        headers = fields.object("headers").map { HeaderOperations(reading: $0) } ?? HeaderOperations()
        fields.refuse(Self.unsupported)
        let action = Self.action(&fields)
        fields.finish()
        guard let action else { return nil }
        self.action = action
        if case .route = action { return }
        for name in ["rewrite", "retries", "mirror", "timeout"] where fields.has(name) {
            fields.log.report(
                fields.pointer.appending(name), .conflict, "does nothing without \"route\"; leave it out")
        }
    }

    private static func action(_ fields: inout FieldReader) -> Action? {
        let given = ["route", "redirect", "directResponse"].filter { fields.has($0) }
        guard given.count <= 1 else {
            _ = given.map { fields.value($0) }
            fields.log.report(
                fields.pointer, .conflict, "must have only one of \(given.joined(separator: ", "))")
            return nil
        }
        if let redirect = fields.object("redirect") { return HTTPRedirect(reading: redirect).map(Action.redirect) }
        if let response = fields.object("directResponse") {
            return HTTPDirectResponse(reading: response).map(Action.directResponse)
        }
        let destinations = RouteDestination.list(&fields)
        return destinations.isEmpty ? nil : .route(destinations)
    }

    var json: JSONValue {
        var members: [String: JSONValue] = [:]
        members["name"] = name.map(JSONValue.string)
        members["match"] = JSONValue.list(match, \.json)
        switch action {
        case .route(let destinations):
            members["route"] = .array(destinations.map { $0.json(isOnly: destinations.count == 1) })
        case .redirect(let redirect): members["redirect"] = redirect.json
        case .directResponse(let response): members["directResponse"] = response.json
        }
        members["rewrite"] = rewrite?.json
        members["timeout"] = timeout.map { .string($0.text) }
        members["retries"] = retries?.json
        members["fault"] = fault?.json
        members["mirror"] = mirror?.destination.json
        members["mirrorPercentage"] = mirror?.percentage?.json
        members["headers"] = headers.json
        return .object(members)
    }
}

/// A condition on a request: all parts that are given must hold.
package struct HTTPMatch: Hashable, Sendable {
    package var name: String?
    package var uri: StringMatch?
    package var ignoreUriCase: Bool
    /// By lower-case name.
    package var headers: [String: StringMatch]
    /// By lower-case name: none of these may hold.
    package var withoutHeaders: [String: StringMatch]
    package var method: StringMatch?
    package var authority: StringMatch?
    package var scheme: StringMatch?
    package var queryParams: [String: StringMatch]
    /// The service's port that was called.
    package var port: Int?
    /// An estimate of the instructions of all its regexes.
    package let regexSize: Int

    private static let unsupported = ["sourceLabels", "sourceNamespace", "gateways", "statPrefix"]

    init(reading reader: FieldReader) {
        var fields = reader
        let before = fields.log.regexSize
        name = fields.string("name", maxLength: 200)
        uri = fields.object("uri").flatMap { Self.text($0) }
        uri?.checkPath(at: fields.pointer.appending("uri"), fields.log)
        ignoreUriCase = fields.bool("ignoreUriCase") ?? false
        headers = Self.headers("headers", &fields)
        withoutHeaders = Self.headers("withoutHeaders", &fields)
        Self.checkAbsence(withoutHeaders, fields)
        method = fields.object("method").flatMap { Self.text($0) }
        authority = fields.object("authority").flatMap { Self.text($0) }
        scheme = fields.object("scheme").flatMap { Self.text($0) }
        queryParams = Self.queryParams(&fields)
        port = fields.integer("port", in: 1...65_535).map { Int($0) }
        regexSize = fields.log.regexSize - before
        fields.refuse(Self.unsupported)
        fields.finish()
    }

    /// To sidecars a header that is absent is like one that is empty, unless it is only asked whether it is there.
    private static func checkAbsence(_ matches: [String: StringMatch], _ fields: FieldReader) {
        for (name, match) in matches.sorted(by: { $0.key < $1.key }) where !match.fitsAnyValue && match.fitsEmptyText {
            fields.log.reportIfNew(
                fields.pointer.appending("withoutHeaders").appending(name), .invalidValue,
                "fits an empty value, so requests without the header would not take the rule either; write {} for any value"
            )
        }
    }

    private static func text(_ reader: FieldReader) -> StringMatch? {
        var fields = reader
        return StringMatch(reading: &fields)
    }

    private static func texts(_ field: String, _ fields: inout FieldReader) -> [String: StringMatch] {
        var matches: [String: StringMatch] = [:]
        for entry in fields.entries(field) {
            matches[entry.name] = text(FieldReader(entry.value, at: entry.pointer, log: fields.log))
        }
        return matches
    }

    private static func queryParams(_ fields: inout FieldReader) -> [String: StringMatch] {
        let matches = texts("queryParams", &fields)
        let here = fields.pointer.appending("queryParams")
        for name in matches.keys.sorted() where !(1...1024).contains(name.utf8.count) {
            fields.log.report(here.appending(name), .invalidFormat, "the name must be 1 to 1024 bytes long")
        }
        return matches
    }

    private static func headers(_ field: String, _ fields: inout FieldReader) -> [String: StringMatch] {
        var matches: [String: StringMatch] = [:]
        let here = fields.pointer.appending(field)
        for (name, match) in texts(field, &fields).sorted(by: { $0.key < $1.key }) {
            guard HTTPToken.isValid(name) else {
                fields.log.report(here.appending(name), .invalidFormat, HeaderOperations.nameRule)
                continue
            }
            if matches.updateValue(match, forKey: name.lowercased()) != nil {
                fields.log.report(here.appending(name), .duplicate, "names of headers do not depend on case")
            }
            match.checkValue(of: "the value of a header", at: here.appending(name), fields.log)
        }
        return matches
    }

    var json: JSONValue {
        func object(_ matches: [String: StringMatch]) -> JSONValue? {
            matches.isEmpty ? nil : .object(matches.mapValues(\.json))
        }
        return .fields([
            "name": name.map(JSONValue.string), "uri": uri?.json, "ignoreUriCase": ignoreUriCase ? true : nil,
            "headers": object(headers), "withoutHeaders": object(withoutHeaders), "method": method?.json,
            "authority": authority?.json, "scheme": scheme?.json, "queryParams": object(queryParams),
            "port": port.map { .integer(Int64($0)) },
        ])
    }
}
