import Documents
import MeshCompiler
import MeshCore
import MeshModel

// How the intermediate representation stands in golden files. Only what is said is shown.

extension Compiler {
    func golden(of host: Host) -> JSONValue {
        let clusters = clusters(of: host)?.clusters ?? []
        // By proxy, then by port.
        let inbound = proxies.flatMap { self.inbound(of: $0) }.filter { .service($0.service) == host }
            .sorted { ($0.proxy, $0.port.number) < ($1.proxy, $1.port.number) }
        return .fields([
            "clusters": JSONValue.list(clusters) {
                .string($0.isHTTP2 ? "\($0.name) (HTTP/2)" : $0.name.text)
            },
            "policies": Self.policies(clusters),
            "endpoints": JSONValue.list(endpoints(of: host), \.golden),
            "inbound": JSONValue.list(inbound) {
                .string(
                    "\($0.proxy): \($0.address):\($0.listenPort) -> 127.0.0.1:\($0.workloadPort) "
                        + "(\($0.port.number) \($0.port.appProtocol.rawValue))")
            },
            "virtualHosts": JSONValue.list(virtualHosts(of: host), \.golden),
        ])
    }

    /// Of the clusters that have some, by cluster.
    private static func policies(_ clusters: [IR.Cluster]) -> JSONValue? {
        var policies: [String: JSONValue] = [:]
        for cluster in clusters where cluster.policy != .init() {
            policies[cluster.name.text] = cluster.policy.json
        }
        return policies.isEmpty ? nil : .object(policies)
    }
}

extension IR.Endpoints {
    fileprivate var golden: JSONValue {
        .fields([
            "cluster": .string(cluster.text),
            "localities": JSONValue.list(localities) { locality in
                [
                    "locality": .string(locality.path.joined(separator: "/")),
                    "weight": .integer(Int64(locality.weight)),
                    "members": .array(
                        locality.endpoints.map {
                            .string("\($0.address):\($0.port) weight \($0.weight)\($0.isDraining ? " draining" : "")")
                        }),
                ]
            },
        ])
    }
}

extension IR.VirtualHost {
    fileprivate var golden: JSONValue {
        .fields([
            "port": .integer(Int64(port)), "isDefaultPort": .bool(isDefaultPort),
            "routes": JSONValue.list(routes, \.golden),
        ])
    }
}

extension IR.Route {
    fileprivate var golden: JSONValue {
        var members: [String: JSONValue] = ["name": .string(name), "match": match.golden]
        switch origin {
        case .service: members["origin"] = "service"
        case .rules(let rules, let index, _, _): members["origin"] = .string("VirtualService \(rules) http/\(index)")
        }
        if !releases.isEmpty {
            members["releases"] = .array(releases.map { .string("\($0.release)\($0.isCopy ? " (copy)" : "")") })
        }
        switch action {
        case .forward(let forward): members["forward"] = forward.golden
        case .redirect(let redirect): members["redirect"] = .string("\(redirect.code) \(redirect.uri ?? "")")
        case .respond(let status, let body): members["respond"] = .string("\(status) \(body ?? "")")
        }
        if let fault { members["fault"] = .string(fault.golden) }
        if !headers.isEmpty { members["headers"] = .string(headers.golden) }
        return .object(members)
    }
}

extension IR.RouteMatch {
    fileprivate var golden: JSONValue {
        func list(_ conditions: [Condition]) -> JSONValue? {
            JSONValue.list(conditions) { .string("\($0.name) \($0.match.golden)") }
        }
        return .fields([
            "path": .string(path.golden), "ignoresCase": ignoresCase ? true : nil,
            "method": method.map { .string($0.golden) }, "scheme": scheme.map { .string($0.golden) },
            "authority": authority.map { .string($0.golden) }, "headers": list(headers),
            "withoutHeaders": list(withoutHeaders), "queryParams": list(queryParams),
        ])
    }
}

extension StringMatch {
    fileprivate var golden: String {
        switch self {
        case .exact(let text): "= \(text)"
        case .prefix(let text): "^ \(text)"
        case .regex(let text): "~ \(text)"
        case .present: "present"
        }
    }
}

extension IR.Forward {
    fileprivate var golden: JSONValue {
        .fields([
            "destinations": .array(
                destinations.map {
                    .string("\($0.weight) \($0.cluster)\($0.headers.isEmpty ? "" : " " + $0.headers.golden)")
                }),
            "timeout": timeout.map { .string($0.text) },
            "retries": .string(retries == .standard ? "standard" : retries.golden),
            "rewrite": rewrite.map { .string("\($0.uri ?? "") \($0.authority ?? "") \($0.uriRegex?.match ?? "")") },
            "hashOn": JSONValue.list(hashOn) { .string("\($0)") },
            "sticky": stickiness.map { stickiness in
                .string(stickiness.givesCookie ? stickiness.given.map { "gives \($0)" } ?? "gives none" : "by hash")
            },
            "mirrors": JSONValue.list(mirrors) { .string("\($0.partsPerMillion) ppm \($0.cluster)") },
        ])
    }
}

extension HTTPRetries {
    fileprivate var golden: String {
        let per = perTryTimeout.map { " \($0.text) each" } ?? ""
        return "\(attempts)\(per) on \((conditions + statusCodes.map { String($0) }).joined(separator: ","))"
    }
}

extension HTTPFault {
    fileprivate var golden: String {
        let delays = delay.map { ["delay \($0.fixedDelay.text) for \($0.percentage.partsPerMillion) ppm"] } ?? []
        let aborts = abort.map { ["abort \($0.httpStatus) for \($0.percentage.partsPerMillion) ppm"] } ?? []
        return (delays + aborts).joined(separator: ", ")
    }
}

extension HeaderOperations {
    fileprivate var golden: String {
        func list(_ what: String, _ edit: Edit) -> [String] {
            let sets = edit.set.sorted { $0.key < $1.key }.map { "\(what) \($0.key)=\($0.value)" }
            let adds = edit.add.sorted { $0.key < $1.key }.map { "\(what) \($0.key)+=\($0.value)" }
            return sets + adds + edit.remove.map { "\(what) -\($0)" }
        }
        return (list("request", request) + list("response", response)).joined(separator: ", ")
    }
}

extension Diagnostic {
    var golden: JSONValue {
        .fields([
            "object": .string(object.path), "pointer": .string(pointer.description), "code": .string(code.rawValue),
            "severity": .string(severity.rawValue), "detail": .string(detail),
            "other": other.map { .string($0.path) },
        ])
    }
}

extension ObjectKey {
    fileprivate var path: String {
        "\(kind.name) " + [namespace, service, name].compactMap { $0?.text }.joined(separator: "/")
    }
}
