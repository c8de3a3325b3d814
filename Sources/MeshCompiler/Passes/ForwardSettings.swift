internal import MeshCore
internal import MeshModel

/// All of a rule but which requests it is about and where they and their copies go.
struct ForwardSettings {
    var timeout: Duration?
    var retries: HTTPRetries
    var rewrite: HTTPRewrite?
    var fault: HTTPFault?
    var headers: HeaderOperations

    /// Without a rule: Istio's defaults.
    static let standard = ForwardSettings()

    private init() {
        retries = .standard
        headers = HeaderOperations()
    }

    init(_ rule: HTTPRule) {
        timeout = rule.timeout == .zero ? nil : rule.timeout
        retries = rule.retries ?? .standard
        if retries.conditions.isEmpty && retries.statusCodes.isEmpty {
            retries.conditions = HTTPRetries.standard.conditions
        }
        rewrite = rule.rewrite
        fault = rule.fault
        headers = rule.headers
    }

    func forward(_ draft: RouteDraft) -> IR.Forward {
        IR.Forward(
            destinations: draft.shares, timeout: timeout, retries: retries, rewrite: rewrite, mirrors: draft.mirrors,
            hashOn: draft.stickiness?.keys ?? [], stickiness: draft.stickiness)
    }
}

extension IR.Share {
    /// The shares without those of weight 0; neighbours for one destination with the same headers become one.
    ///
    /// Only neighbours: Envoy lays the shares side by side and looks where a request's hash falls, so a share that moved to
    /// another place would take others out of theirs, and users with them.
    static func merged(_ shares: [IR.Share]) -> [IR.Share] {
        shares.reduce(into: []) { merged, share in
            guard share.weight > 0 else { return }
            if let last = merged.last, last.cluster == share.cluster, last.headers == share.headers {
                merged[merged.count - 1].weight += share.weight
            } else {
                merged.append(share)
            }
        }
    }
}

extension IR.RouteMatch {
    init(_ match: HTTPMatch) {
        // Istio's `uri: {}` says nothing, like no `uri`.
        let path = match.uri == .present ? nil : match.uri
        self.init(path: path ?? .prefix("/"))
        if self.path == .prefix("") { self.path = .prefix("/") }
        ignoresCase = match.ignoreUriCase
        method = match.method
        scheme = match.scheme
        authority = match.authority
        headers = Self.conditions(match.headers)
        withoutHeaders = Self.conditions(match.withoutHeaders)
        queryParams = Self.conditions(match.queryParams)
    }
}
