internal import Documents
internal import EnvoyProtos
internal import MeshCompiler
internal import MeshCore
internal import MeshModel

/// The virtual hosts of a route configuration that a proxy refused, and what its words say about them.
struct RefusedRoutes {
    let hosts: [IR.VirtualHost]
    let origins: ProvenanceLookup

    func sources(_ nackMessage: String, _ isCurrent: Bool) -> [Provenance] {
        if let path = ConstraintPath(nackMessage) { return isCurrent ? at(path).map { [$0] } ?? [] : [] }
        // Followed by all of a message: what is quoted there means nothing.
        if nackMessage.contains("goo.gle/debug") { return [] }
        let quoted = Quotations(nackMessage)
        var found: [Provenance] = []
        for host in hosts {
            for route in host.routes {
                found += patterns(of: route, host).filter { quoted.contains($0.text) }.map(\.source)
                if route.origin != .service, quoted.contains(route.name) {
                    found.append(origins.route(route, of: host.host))
                }
            }
        }
        if found.isEmpty { found = hosts.filter { quoted.contains($0.name) }.map(owner) }
        var unique: [Provenance] = []
        for source in found where !unique.contains(source) { unique.append(source) }
        return unique
    }

    /// The object on which a whole virtual host is to be blamed: the only object that has a say in it, or the service.
    private func owner(of host: IR.VirtualHost) -> Provenance {
        let objects = Set(host.routes.map { origins.route($0, of: host.host).object })
        guard objects.count == 1, let object = objects.first else { return origins.definition(host.host) }
        return Provenance(object: object, pointer: .root)
    }

    private func at(_ path: ConstraintPath) -> Provenance? {
        guard let place = path.host, hosts.indices.contains(place) else { return nil }
        let host = hosts[place]
        guard let index = path.route else { return owner(of: host) }
        guard host.routes.indices.contains(index) else { return nil }
        let route = host.routes[index]
        var source = origins.route(route, of: host.host)
        guard case .rules(_, _, let match, _) = route.origin else { return source }
        switch path.field {
        case "Match":
            guard let match else { break }
            source.pointer = source.pointer.appending("match").appending(match)
            if path.isPathRegex { source.pointer = source.pointer.appending("uri").appending("regex") }
        case "RequestHeadersToAdd":
            source.pointer = source.pointer.header(path.element, of: route.headers.request, "request")
        case "ResponseHeadersToAdd":
            source.pointer = source.pointer.header(path.element, of: route.headers.response, "response")
        default: break
        }
        return source
    }

    /// The regexes of a route as they are sent, each with the field that it is from.
    private func patterns(of route: IR.Route, _ host: IR.VirtualHost) -> [(text: String, source: Provenance)] {
        let source = origins.route(route, of: host.host)
        var patterns: [(text: String, source: Provenance)] = []
        func add(_ text: String?, _ field: [String]) {
            guard let text else { return }
            var place = source
            if place.pointer != .root { for token in field { place.pointer = place.pointer.appending(token) } }
            patterns.append((text, place))
        }
        let match = route.match
        var condition: [String] = []
        if case .rules(_, _, let index?, _) = route.origin { condition = ["match", String(index)] }
        add(match.path.pattern, condition + ["uri", "regex"])
        for (name, text) in [("method", match.method), ("scheme", match.scheme), ("authority", match.authority)] {
            add(text?.pattern, condition + [name, "regex"])
        }
        for (field, conditions) in [
            ("headers", match.headers), ("withoutHeaders", match.withoutHeaders), ("queryParams", match.queryParams),
        ] {
            for one in conditions { add(one.match.pattern, condition + [field, one.name, "regex"]) }
        }
        if case .forward(let forward) = route.action {
            add(forward.rewrite?.uriRegex?.match, ["rewrite", "uriRegexRewrite", "match"])
        }
        return patterns
    }
}

/// The place where a message breaks a rule of its definition, as Envoy says it (protoc-gen-validate): `Proto constraint validation
/// failed (RouteConfigurationValidationError.VirtualHosts[3]: … | caused by VirtualHostValidationError.Routes[0]: … |
/// caused by RouteValidationError.RequestHeadersToAdd[1]: …`.
struct ConstraintPath {
    /// `nil`: nothing in a virtual host.
    var host: Int?
    /// `nil`: the virtual host itself.
    var route: Int?
    /// A field of the route, if it is in one; `element` is the place in a repeated one.
    var field: String?
    var element: Int?
    /// The regex that paths are matched with.
    var isPathRegex = false

    /// - Returns: `nil` for any other text.
    init?(_ nackMessage: String) {
        guard let step = Self.step("RouteConfigurationValidationError", in: nackMessage) else { return nil }
        host = step.name == "VirtualHosts" ? step.index : nil
        route = Self.step("VirtualHostValidationError", in: nackMessage).flatMap {
            $0.name == "Routes" ? $0.index : nil
        }
        guard route != nil, let (field, element) = Self.step("RouteValidationError", in: nackMessage) else { return }
        self.field = field
        self.element = element
        isPathRegex = Self.step("RouteMatchValidationError", in: nackMessage)?.name == "SafeRegex"
    }

    /// The first `<error>.Name[index]:` or `<error>.Name:`.
    private static func step(_ error: String, in text: String) -> (name: String, index: Int?)? {
        // A space or parenthesis before it: `RouteValidationError` is also the end of other names.
        guard let range = text.firstRange(of: " \(error).") ?? text.firstRange(of: "(\(error).") else { return nil }
        let step = text[range.upperBound...].prefix { $0 != ":" && $0 != " " }
        let parts = step.split(separator: "[", maxSplits: 1)
        guard let name = parts.first else { return nil }
        let index = parts.count == 2 && parts[1].last == "]" ? Int(parts[1].dropLast()) : nil
        return (String(name), index)
    }
}

/// The texts that stand in quotation marks in a proxy's words. Words without them may be anybody's.
struct Quotations {
    private var texts: Set<Substring> = []

    /// Texts that have quotation marks in them are found too, unless there are many.
    init(_ nackMessage: String) {
        let marks = nackMessage.indices.filter { nackMessage[$0] == "'" || nackMessage[$0] == "\"" }
        for (place, start) in marks.enumerated() {
            for end in marks[(place + 1)...].prefix(8) where nackMessage[start] == nackMessage[end] {
                texts.insert(nackMessage[nackMessage.index(after: start)..<end])
            }
        }
    }

    func contains(_ text: String) -> Bool { texts.contains(text[...]) }
}

extension IR.VirtualHost {
    /// The virtual host's name in a route configuration.
    var name: String { "\(host.unambiguous):\(port)" }
}

extension StringMatch {
    fileprivate var pattern: String? {
        guard case .regex(let regex) = self else { return nil }
        return regex
    }
}

extension HeaderMatcher {
    fileprivate var pattern: String? { stringMatch.safeRegex.regex.isEmpty ? nil : stringMatch.safeRegex.regex }
}

extension JSONPointer {
    /// A header of a rule, by its place among those that are sent.
    fileprivate func header(_ index: Int?, of edit: HeaderOperations.Edit, _ side: String) -> JSONPointer {
        let additions = edit.namedAdditions
        guard let index, additions.indices.contains(index) else { return self }
        return appending("headers").appending(side).appending(additions[index].field).appending(additions[index].name)
    }
}
