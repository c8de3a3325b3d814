internal import HTTPTypes

/// Finds the route of a request: a tree of path segments, a literal before a parameter.
///
/// A custom method is the part of the last segment behind its last `:` (Google AIP-136): `reviews-v2:start`.
///
/// Not Hummingbird's `Router`: to it a known path with another method is like no path at all, so there are neither 405 with
/// `Allow` nor OPTIONS; its `{x}` takes `b:stop` too, a custom method that there is not; it does not know `b%3Astart`, and
/// takes `/a//b` for `/a/b`.
struct RouteTable: Sendable {
    /// A captured path parameter, percent-decoded.
    typealias Parameters = [(name: String, value: String)]

    enum Match {
        case found(Route, Parameters)
        /// The path exists, with these methods.
        case otherMethods([HTTPRequest.Method])
        case none
    }

    private struct Node: Sendable {
        var literals: [String: Int] = [:]
        var parameter: (name: String, node: Int)?
        /// By custom method (empty: none), then by HTTP method.
        var routes: [String: [HTTPRequest.Method: Route]] = [:]
    }

    let routes: [Route]
    private var nodes: [Node] = [Node()]

    init(_ routes: [Route]) {
        self.routes = routes
        for route in routes { insert(route) }
    }

    private mutating func insert(_ route: Route) {
        let (path, verb) = Self.splitVerb(route.template[...])
        var node = 0
        for segment in path.split(separator: "/") {
            let existing = segment.first == "{" ? nodes[node].parameter?.node : nodes[node].literals[String(segment)]
            if let existing {
                node = existing
                continue
            }
            nodes.append(Node())
            if segment.first == "{" {
                nodes[node].parameter = (String(segment.dropFirst().dropLast()), nodes.count - 1)
            } else {
                nodes[node].literals[String(segment)] = nodes.count - 1
            }
            node = nodes.count - 1
        }
        precondition(nodes[node].routes[verb]?[route.method] == nil, "two routes for \(route.method) \(route.template)")
        nodes[node].routes[verb, default: [:]][route.method] = route
    }

    /// The path without its custom method, and that.
    private static func splitVerb(_ path: Substring) -> (path: Substring, verb: String) {
        let lastSegment = path.lastIndex(of: "/") ?? path.startIndex
        guard let colon = path[lastSegment...].lastIndex(of: ":") else { return (path, "") }
        return (path[..<colon], String(path[path.index(after: colon)...]))
    }

    /// Clients may encode the colon before a custom method, as they may any character (RFC 3986 section 2.2).
    private static func withPlainColon(_ path: Substring) -> Substring {
        path.replacing("%3A", with: ":").replacing("%3a", with: ":")
    }

    /// - Parameter path: the raw path, without query.
    func match(_ method: HTTPRequest.Method, _ path: Substring) -> Match {
        let (decoded, verb) = Self.splitVerb(path.contains("%") ? Self.withPlainColon(path) : path)
        guard decoded.first == "/" else { return .none }
        var node = 0
        var parameters: Parameters = []
        for segment in decoded.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            if let next = nodes[node].literals[String(segment)] {
                node = next
            } else if let next = nodes[node].parameter, !segment.isEmpty, let value = PercentEncoding.decode(segment) {
                parameters.append((next.name, value))
                node = next.node
            } else {
                return .none
            }
        }
        guard let methods = nodes[node].routes[verb] else { return .none }
        if let route = methods[method] { return .found(route, parameters) }
        if method == .head, let route = methods[.get] { return .found(route, parameters) }
        return .otherMethods(methods.keys.sorted { $0.rawValue < $1.rawValue })
    }
}
