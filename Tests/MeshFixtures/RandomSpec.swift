package import Documents
package import MeshCore
internal import MeshModel

/// What random documents need besides what is declared of them to be accepted, and to be about the same few things.
package enum RandomSpec {
    static let namespaces = ["x", "y"]
    static let services = ["a", "b", "c"]
    private static let versions: [JSONValue] = ["v1", "v2", "v3"]
    private static let paths: [JSONValue] = ["/a", "/a/b", "/"]

    /// Each name in all forms that a host can have, of either namespace.
    private static let hosts: [JSONValue] =
        services.flatMap { name -> [JSONValue] in
            let forms = namespaces.flatMap { namespace in
                ["", ".svc", ".svc.cluster.local", ".svc.cluster.local."].map { "\(name).\(namespace)\($0)" }
            }
            // Names alone as often as all others.
            return ([name, name + "."] + forms + [String](repeating: name, count: 8)).map(JSONValue.string)
        } + ["ext.example.com", "ext.example.com.", "ext.example.com", "nobody.example.com"]
    /// Such as services could have, too.
    private static let externalHosts: [JSONValue] = ["ext.example.com", "ext.example.com", "a.x", "a.x.svc", "b.y"]

    /// Values by member (``RandomDocument``).
    package static let words: [String: [JSONValue]] = [
        "host": hosts, "hosts": hosts, "subset": versions, "version": versions, "versions.name": versions,
        "subsets.name": versions, "labels.*": ["version", "track"], "labels": ["v1", "v2", "v3"],
        "namespaces": ["x", "y"],
        "cluster": ["dev"], "proxy": ["p0", "p1", "p2"], "ports.name": ["http", "grpc", "tcp"],
        "ports.port": [80, 81, 82],
        "ports.*": ["http", "grpc"], "ports": [80, 81], "workloadPorts.*": ["http", "grpc"],
        "workloadPorts": [8080, 8081],
        "address": ["10.0.0.1", "10.0.0.2", "10.0.0.3"], "port.number": [80, 80, 81], "match.port": [80, 81],
        "service": ["a", "b", "c"], "uri.exact": paths, "uri.prefix": paths, "uri.regex": ["/a.*", "/[bc]"],
        "path.exact": paths, "path.prefix": paths, "path.regex": ["/a.*"], "paths.exact": paths, "paths.prefix": paths,
        "paths.regex": ["/a.*"], "uri": paths, "uriRegexRewrite.match": ["/a/(.*)"],
        "uriRegexRewrite.rewrite": ["/\\1"],
        "enabled": [true, true, false], "mesh": ["default"], "steps.bakeTime": ["1s"], "scope.ports": [80, 81],
        "destination.name": hosts, "mirror.name": hosts, "scope.rules": ["*", "r"], "http.name": ["r", "s"],
        "withoutHeaders.exact": ["a"], "gateways": ["mesh"], "exportTo": [".", "x", "y", "*"],
        "ports.number": [80, 81, 82], "resolution": ["STATIC", "STATIC", "DNS"],
        "templates": ["builtin/http-golden", "builtin/http-compare", "latency"], "startingStep": [0],
        "successCondition": ["result >= 0.99", "result < 3"], "failureCondition": ["result < 0.9"],
        "over": ["250ms"], "min": [0, 1], "max": [1, 5], "sources": ["web", "x/web"],
        "prometheus.query": ["up", "vector(1)"], "httpJson.path": ["/a"], "httpJson.query": ["a=1"],
        "httpJson.pointer": ["/a/b"],
        "secretRef.key": ["token"], "data.*": ["token"],
        "url": ["https://example.com", "http://10.0.0.1:9090/x"], "cookie.name": ["user"], "httpCookie.name": ["user"],
        "cron": ["0 22 * * FRI", "*/15 9-17 1,15 * MON-FRI"], "timeZone": ["UTC", "Asia/Shanghai"],
        "services": ["a", "b"],
    ]

    static func hosts(in value: JSONValue) -> Set<String> {
        switch value {
        case .object(let members):
            members.reduce(into: []) { found, member in
                if let host = member.value.stringValue, member.key == "host" { found.insert(host) }
                if member.key == "hosts" { found.formUnion((member.value.arrayValue ?? []).compactMap(\.stringValue)) }
                found.formUnion(hosts(in: member.value))
            }
        case .array(let elements): elements.reduce(into: []) { $0.formUnion(hosts(in: $1)) }
        default: []
        }
    }

    /// With the laws between members that no schema tells.
    package static func mended(_ document: JSONValue, of kind: Kind) -> JSONValue {
        switch kind {
        case .service:
            document.changing("ports") { $0.unique(["name"]).unique(["port"]) }.changing("versions") {
                $0.unique(["name"])
            }
        case .destinationRule:
            document.changing("trafficPolicy", policy).changing("subsets") { subsets in
                subsets.unique(["name"]).elements { $0.changing("trafficPolicy", policy) }
            }
        case .virtualService:
            document.changing("hosts") { $0.unique([]) }.changing("http") { $0.elements(rule) }
                .changing("delegateHosts") { $0.elements { $0.changing("namespaces") { $0.unique([]) } } }
        case .serviceEntry: serviceEntry(document)
        case .release: release(document)
        case .analysisTemplate: template(document)
        case .freezeWindow: freezeWindow(document)
        default: document
        }
    }

    private static func serviceEntry(_ document: JSONValue) -> JSONValue {
        let own = document["hosts"]?.arrayValue?.compactMap(\.stringValue) ?? []
        let hosts = own.indices.map { externalHosts[($0 + own[0].utf8.count) % externalHosts.count] }
        return document.setting("hosts", .array(hosts)).changing("hosts") { $0.unique([]) }
            .changing("exportTo") { $0.unique([]) }
            .changing("ports") { ports in
                ports.unique(["name"]).unique(["number"]).elements {
                    $0["protocol"] == "TCP" ? $0.without(["protocol"]) : $0
                }
            }
            .changing("endpoints") { endpoints in
                endpoints.elements { $0.changing("ports") { $0["http"].map { ["http": $0] } ?? [:] } }
            }
            .changing("ports") { ports in
                .array((ports.arrayValue ?? []).enumerated().map { $0 == 0 ? $1.setting("name", "http") : $1 }).unique([
                    "name"
                ])
            }
    }

    private static func freezeWindow(_ document: JSONValue) -> JSONValue {
        let document = document.changing("blocks") { $0.unique([]) }.changing("services") { $0.unique([]) }
        guard document["cron"] != nil else { return document.without(["duration", "timeZone", "end"]) }
        return document.without(["start", "end"]).setting("duration", "8h").setting("timeZone", "Asia/Shanghai")
    }

    private static func template(_ document: JSONValue) -> JSONValue {
        document.without(["args", "scoring"]).changing("metrics") { metrics in
            metrics.unique(["name"]).elements { metric in
                guard metric["judge"] == nil else {
                    return metric.without([
                        "provider", "successCondition", "failureCondition", "thresholdRange", "minSamples", "baseline",
                        "maxWindow",
                    ]).setting("judge", ["type": "mannWhitney"]).setting(
                        "series", ["builtin": "request-duration-mean"]
                    ).setting("interval", "30s")
                }
                return metric.without(["series", "groups", "thresholdRange", "maxWindow", "initialDelay"])
                    .setting("provider", ["builtin": "request-success-rate"]).setting(
                        "successCondition", "result >= 0.9"
                    )
                    .setting("interval", "30s").changing("sources") { $0.unique([]) }
            }
        }
    }

    private static func policy(_ policy: JSONValue) -> JSONValue {
        policy.changing("portLevelSettings") { $0.unique(["port", "number"]) }
    }

    private static func rule(_ rule: JSONValue) -> JSONValue {
        guard rule["route"] != nil else {
            return rule.without(["rewrite", "retries", "mirror", "mirrorPercentage", "mirrorPercent", "timeout"])
        }
        let weights: [[JSONValue?]] = [[], [nil], [30, 70], [0, 60, 40]]
        var rule = rule.changing("route") { list in
            let parts = list.arrayValue ?? []
            return .array(zip(parts, weights[min(parts.count, 3)]).map { $0.setting("weight", $1) })
        }
        if rule["mirror"] == nil { rule = rule.without(["mirrorPercentage", "mirrorPercent"]) }
        return rule.changing("rewrite") { $0["uri"] == nil ? $0 : $0.without(["uriRegexRewrite"]) }
    }

    private static func release(_ document: JSONValue) -> JSONValue {
        var document = document.changing("stable") { $0.setting("version", "v1") }
            .changing("canary") { $0.setting("version", "v2") }
        if document["strategy"]?["trafficRouting"]?["scope"]?["ports"] != nil { document = document.without(["port"]) }
        return document.changing("strategy") { strategy in
            let type = strategy["type"]?.stringValue ?? ""
            var strategy = strategy.changing("trafficRouting") { routing in
                routing.changing("scope") { scope in
                    ["paths", "rules", "ports"].reduce(scope) { $0.changing($1) { $0.unique([]) } }
                }
                .changing("stickiness") { $0["source"]?["header"] == nil ? $0.without(["fallback"]) : $0 }
            }
            if strategy["steps"] != nil || type != "abTest" { strategy = strategy.without(["match"]) }
            strategy = strategy.changing("steps") { steps in
                let promised: [JSONValue] =
                    type == "abTest"
                    ? [["setMatch": ["any": [["path": ["prefix": "/a"]]]]]]
                    : type == "mirror" ? [["setMirror": ["percentage": 50]]] : []
                let steps = steps.elements { $0["pause"] == nil ? $0 : $0.without(["bakeTime"]) }
                return .array((steps.arrayValue ?? []) + promised)
            }
            return strategy
        }
    }
}

extension JSONValue {
    fileprivate func setting(_ name: String, _ value: JSONValue?) -> JSONValue {
        guard case .object(var members) = self else { return self }
        members[name] = value
        return .object(members)
    }

    fileprivate func changing(_ name: String, _ change: (JSONValue) -> JSONValue) -> JSONValue {
        self[name].map { setting(name, change($0)) } ?? self
    }

    fileprivate func without(_ names: [String]) -> JSONValue { names.reduce(self) { $0.setting($1, nil) } }

    fileprivate func elements(_ change: (JSONValue) -> JSONValue) -> JSONValue {
        arrayValue.map { .array($0.map(change)) } ?? self
    }

    /// The array without elements that are equal to earlier ones at a path.
    fileprivate func unique(_ path: [String]) -> JSONValue {
        var seen: Set<JSONValue> = []
        return arrayValue.map { elements in
            .array(elements.filter { element in seen.insert(path.reduce(element) { $0[$1] ?? .null }).inserted })
        } ?? self
    }
}
