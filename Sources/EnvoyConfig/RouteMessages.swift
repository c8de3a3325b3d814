internal import EnvoyProtos
internal import MeshCompiler
internal import MeshModel
internal import SwiftProtobuf

extension RouteMessage {
    init(_ route: IR.Route) {
        self.init()
        name = route.name
        match = RouteMatchMessage(route.match)
        switch route.action {
        case .forward(let forward):
            self.route = RouteActionMessage(forward)
            if let host = route.headers.request.host { self.route.hostRewriteLiteral = host }
        case .redirect(let redirect): self.redirect = Envoy_Config_Route_V3_RedirectAction(redirect)
        case .respond(let status, let body):
            directResponse.status = UInt32(clamping: status)
            if let body { directResponse.body.inlineString = body.cut(to: HTTPDirectResponse.maxBodyBytes) }
        }
        requestHeadersToAdd = route.headers.request.additions
        requestHeadersToRemove = route.headers.request.remove
        responseHeadersToAdd = route.headers.response.additions
        responseHeadersToRemove = route.headers.response.remove
        if case .forward(let forward) = route.action, let stickiness = forward.stickiness, stickiness.givesCookie,
            let cookie = stickiness.given
        {
            responseHeadersToAdd.append(Envoy_Config_Core_V3_HeaderValueOption(giving: cookie))
        }
        if let fault = route.fault {
            typedPerFilterConfig = [FilterNames.fault: Google_Protobuf_Any(packing: HTTPFaultMessage(fault))]
        }
    }
}

extension RouteMessage {
    /// Puts a timeout where gRPC clients look for it (gRFC A31). Never in what an Envoy is sent: with `max_stream_duration`, of
    /// whatever kind, it does not look at `timeout` any more.
    mutating func limitForProxyless(_ route: IR.Route) {
        guard case .forward(let forward) = route.action, let timeout = forward.timeout else { return }
        self.route.maxStreamDuration.grpcTimeoutHeaderMax = Google_Protobuf_Duration(timeout)
    }
}

extension RouteActionMessage {
    init(_ forward: IR.Forward) {
        self.init()
        if forward.destinations.count == 1, forward.destinations[0].headers.isEmpty {
            cluster = forward.destinations[0].cluster.text
        } else {
            weightedClusters.clusters = forward.destinations.map {
                Envoy_Config_Route_V3_WeightedCluster.ClusterWeight($0)
            }
            if forward.stickiness != nil { weightedClusters.useHashPolicy = Google_Protobuf_BoolValue(true) }
        }
        // Zero is no limit; without it Envoy's own 15 s would hold. It holds for gRPC calls too: Envoy only looks at their own
        // deadlines, which callers keep themselves, where `max_stream_duration` or `max_grpc_timeout` (deprecated, and Envoy
        // logs a warning for each) is set.
        timeout = Google_Protobuf_Duration(forward.timeout ?? .zero)
        // The limit of a try holds for the first one too, as Istio's documentation has it: also where no other follows.
        if forward.retries.attempts > 0 || (forward.retries.perTryTimeout ?? .zero) > .zero {
            retryPolicy = Envoy_Config_Route_V3_RetryPolicy(forward.retries)
        }
        hashPolicy = forward.hashOn.map { Envoy_Config_Route_V3_RouteAction.HashPolicy($0) }
        // Of the keys of users only the first counts that a request has; Envoy would make one hash of all.
        if forward.stickiness != nil {
            for index in hashPolicy.indices.dropLast() { hashPolicy[index].terminal = true }
        }
        requestMirrorPolicies = forward.mirrors.map { RequestMirrorPolicy($0) }
        guard let rewrite = forward.rewrite else { return }
        if let uri = rewrite.uri { prefixRewrite = uri }
        if let regex = rewrite.uriRegex {
            regexRewrite.pattern.regex = regex.match
            regexRewrite.substitution = regex.rewrite
        }
        if let authority = rewrite.authority { hostRewriteLiteral = authority }
    }
}

extension Envoy_Config_Core_V3_HeaderValueOption {
    /// A cookie whose value is the request's id.
    fileprivate init(giving cookie: ConsistentHash.Cookie) {
        self.init()
        func literal(_ text: String) -> String { text.replacing("%", with: "%%") }
        var parts = ["\(literal(cookie.name))=%REQ(\(IR.Stickiness.requestID))%"]
        if let path = cookie.path { parts.append("Path=\(literal(path))") }
        if let ttl = cookie.ttl, ttl > .zero { parts.append("Max-Age=\(ttl.components.seconds)") }
        header.key = "set-cookie"
        header.value = (parts + ["HttpOnly"]).joined(separator: "; ")
        appendAction = .appendIfExistsOrAdd
    }
}

extension Envoy_Config_Route_V3_WeightedCluster.ClusterWeight {
    init(_ share: IR.Share) {
        self.init()
        name = share.cluster.text
        weight = Google_Protobuf_UInt32Value(UInt32(clamping: share.weight))
        if let host = share.headers.request.host { hostRewriteLiteral = host }
        requestHeadersToAdd = share.headers.request.additions
        requestHeadersToRemove = share.headers.request.remove
        responseHeadersToAdd = share.headers.response.additions
        responseHeadersToRemove = share.headers.response.remove
    }
}

extension RouteActionMessage.RequestMirrorPolicy {
    init(_ mirror: IR.Mirror) {
        self.init()
        cluster = mirror.cluster.text
        runtimeFraction.defaultValue = Envoy_Type_V3_FractionalPercent(partsPerMillion: mirror.partsPerMillion)
        traceSampled = Google_Protobuf_BoolValue(false)
        // The copy looks like the original; Envoy would make the host "reviews-shadow".
        disableShadowHostSuffixAppend = true
    }
}

extension Envoy_Config_Route_V3_RetryPolicy {
    init(_ retries: HTTPRetries) {
        self.init()
        var conditions = retries.conditions
        let byStatus = "retriable-status-codes"
        if !retries.statusCodes.isEmpty && !conditions.contains(byStatus) { conditions.append(byStatus) }
        retryOn = conditions.joined(separator: ",")
        numRetries = Google_Protobuf_UInt32Value(UInt32(clamping: retries.attempts))
        retriableStatusCodes = retries.statusCodes.map { UInt32(clamping: $0) }
        if let limit = retries.perTryTimeout, limit > .zero { perTryTimeout = Google_Protobuf_Duration(limit) }
        hostSelectionRetryMaxAttempts = 5
        retryHostPredicate = [Self.previousHosts]
    }

    /// Another try goes to another endpoint.
    private static let previousHosts = RetryHostPredicate.with {
        $0.name = "envoy.retry_host_predicates.previous_hosts"
        $0.typedConfig = Google_Protobuf_Any(
            packing: Envoy_Extensions_Retry_Host_PreviousHosts_V3_PreviousHostsPredicate())
    }
}

extension Envoy_Config_Route_V3_RedirectAction {
    init(_ redirect: HTTPRedirect) {
        self.init()
        if let uri = redirect.uri { pathRedirect = uri }
        if let authority = redirect.authority { hostRedirect = authority }
        if let scheme = redirect.scheme { schemeRedirect = scheme }
        if let port = redirect.port { portRedirect = UInt32(clamping: port) }
        responseCode =
            switch redirect.code {
            case 302: .found
            case 303: .seeOther
            case 307: .temporaryRedirect
            case 308: .permanentRedirect
            default: .movedPermanently
            }
    }
}

typealias HTTPFaultMessage = Envoy_Extensions_Filters_Http_Fault_V3_HTTPFault

extension HTTPFaultMessage {
    init(_ fault: HTTPFault) {
        self.init()
        if let delay = fault.delay {
            self.delay.fixedDelay = Google_Protobuf_Duration(delay.fixedDelay)
            self.delay.percentage = Envoy_Type_V3_FractionalPercent(
                partsPerMillion: Int(delay.percentage.partsPerMillion))
        }
        if let abort = fault.abort {
            self.abort.httpStatus = UInt32(clamping: abort.httpStatus)
            self.abort.percentage = Envoy_Type_V3_FractionalPercent(
                partsPerMillion: Int(abort.percentage.partsPerMillion))
        }
    }
}

extension HeaderOperations.Edit {
    private static let hostNames: Set<String> = ["host", ":authority"]

    /// The host that `set` sets, which Envoy does not let be set like other headers.
    var host: String? {
        self.set.sorted { $0.key < $1.key }.first { Self.hostNames.contains($0.key.lowercased()) }?.value
    }

    /// The headers that are set or added, in the order in which they are sent, with the field that has them.
    var namedAdditions: [(field: String, name: String, value: String)] {
        let sets = self.set.filter { !Self.hostNames.contains($0.key.lowercased()) }.sorted { $0.key < $1.key }
        return sets.map { ("set", $0.key, $0.value) } + add.sorted { $0.key < $1.key }.map { ("add", $0.key, $0.value) }
    }

    var additions: [Envoy_Config_Core_V3_HeaderValueOption] {
        namedAdditions.map { field, name, value in
            var option = Envoy_Config_Core_V3_HeaderValueOption()
            option.header.key = name
            // Envoy refuses the whole configuration for a command that it does not know.
            option.header.value = HeaderFormat.escaped(value)
            option.appendAction = field == "set" ? .overwriteIfExistsOrAdd : .appendIfExistsOrAdd
            return option
        }
    }
}

extension String {
    /// The beginning of the text that fits into so many bytes of UTF-8.
    fileprivate func cut(to bytes: Int) -> String {
        var text = self
        while text.utf8.count > bytes { text.removeLast() }
        return text
    }
}
