internal import MeshModel

/// All of a rule but which requests it is about and where they go.
struct ForwardSettings {
    var timeout: Duration?
    var retries: HTTPRetries
    var rewrite: HTTPRewrite?
    var mirrors: [IR.Mirror] = []
    var fault: HTTPFault?
    var headers: HeaderOperations

    /// Without a rule: Istio's defaults.
    static let standard = ForwardSettings()

    private init() {
        retries = .standard
        headers = HeaderOperations()
    }

    /// Mirrors are left out, because they have to be looked up.
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

    func forward(to shares: [IR.Share]) -> IR.Forward {
        IR.Forward(destinations: shares, timeout: timeout, retries: retries, rewrite: rewrite, mirrors: mirrors)
    }

    func forward(to cluster: IR.ClusterName) -> IR.Forward {
        forward(to: [IR.Share(cluster: cluster, basisPoints: 10_000, headers: HeaderOperations())])
    }
}

extension IR.Share {
    /// Shares of one destination become one, in the place of its first; what destinations that are gone leave over is
    /// spread by largest remainder, so that all shares add up to 10 000.
    static func merged(_ shares: [IR.Share]) -> [IR.Share] {
        var merged: [IR.Share] = []
        for share in shares {
            if let index = merged.firstIndex(where: { $0.cluster == share.cluster && $0.headers == share.headers }) {
                merged[index].basisPoints += share.basisPoints
            } else {
                merged.append(share)
            }
        }
        let total = merged.reduce(0) { $0 + $1.basisPoints }
        guard total > 0, total != 10_000 else { return merged }
        var remainders: [(index: Int, remainder: Int)] = []
        for index in merged.indices {
            let scaled = merged[index].basisPoints * 10_000
            merged[index].basisPoints = scaled / total
            remainders.append((index, scaled % total))
        }
        let missing = 10_000 - merged.reduce(0) { $0 + $1.basisPoints }
        remainders.sort { ($1.remainder, $0.index) < ($0.remainder, $1.index) }
        for (index, _) in remainders.prefix(missing) { merged[index].basisPoints += 1 }
        return merged.filter { $0.basisPoints > 0 }
    }
}

extension IR.RouteMatch {
    init(_ match: HTTPMatch) {
        // Istio's `uri: {}` says nothing, like no `uri`.
        let path = match.uri == .present ? nil : match.uri
        self.init(paths: [path ?? .prefix("/")])
        if paths == [.prefix("")] { paths = [.prefix("/")] }
        ignoresCase = match.ignoreUriCase
        method = match.method
        scheme = match.scheme
        authority = match.authority
        headers = Self.conditions(match.headers)
        withoutHeaders = Self.conditions(match.withoutHeaders)
        queryParams = Self.conditions(match.queryParams)
    }
}
