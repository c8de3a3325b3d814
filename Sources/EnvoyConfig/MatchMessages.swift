internal import EnvoyProtos
internal import MeshCompiler
internal import MeshModel
internal import SwiftProtobuf

typealias HeaderMatcher = Envoy_Config_Route_V3_HeaderMatcher
typealias RouteMatchMessage = Envoy_Config_Route_V3_RouteMatch

extension RouteMatchMessage {
    init(_ match: IR.RouteMatch) {
        self.init()
        switch match.paths[0] {
        case .exact(let text): path = text
        case .prefix(let text): prefix = text
        case .regex(let text): safeRegex.regex = text
        case .present: prefix = "/"
        }
        if match.ignoresCase { caseSensitive = Google_Protobuf_BoolValue(false) }
        headers = match.paths.dropFirst().map { HeaderMatcher(path: $0) }
        for (name, text) in [(":method", match.method), (":scheme", match.scheme), (":authority", match.authority)] {
            if let text { headers.append(HeaderMatcher(name, text)) }
        }
        headers += match.headers.map { HeaderMatcher($0.name, $0.match) }
        headers += match.withoutHeaders.map { condition in
            var matcher = HeaderMatcher(condition.name, condition.match)
            matcher.invertMatch = true
            // Absent counts as something else than what must not be there.
            matcher.treatMissingHeaderAsEmpty = condition.match != .present
            return matcher
        }
        headers += match.cookies.map { HeaderMatcher(cookie: $0.name, $0.match) }
        queryParameters = match.queryParams.map { Envoy_Config_Route_V3_QueryParameterMatcher($0.name, $0.match) }
    }
}

extension HeaderMatcher {
    init(_ name: String, _ match: StringMatch) {
        self.init()
        self.name = name
        if let matcher = Envoy_Type_Matcher_V3_StringMatcher(match) {
            stringMatch = matcher
        } else {
            presentMatch = true
        }
    }

    /// A condition on the path beside the one that a route has, which has room for one. `:path` has the query too.
    init(path match: StringMatch) {
        let query = "(?:\\?.*)?"
        switch match {
        case .exact(let text): self.init(":path", .regex(RE2.quoted(text) + query))
        case .regex(let text): self.init(":path", .regex("(?:\(text))\(query)"))
        case .prefix, .present: self.init(":path", match)
        }
    }

    /// A condition on one cookie. Envoy joins all cookies of a request to one header with `; ` in between.
    init(cookie name: String, _ match: StringMatch) {
        let value =
            switch match {
            case .exact(let text): RE2.quoted(text)
            case .prefix(let text): RE2.quoted(text) + "[^;]*"
            case .regex(let text): "(?:\(text))"
            case .present: "[^;]*"
            }
        self.init("cookie", .regex("(?:.*;\\s*)?\(RE2.quoted(name))=\(value)(?:\\s*;.*)?"))
    }
}

extension Envoy_Config_Route_V3_QueryParameterMatcher {
    init(_ name: String, _ match: StringMatch) {
        self.init()
        self.name = name
        if let matcher = Envoy_Type_Matcher_V3_StringMatcher(match) {
            stringMatch = matcher
        } else {
            presentMatch = true
        }
    }
}

extension Envoy_Type_Matcher_V3_StringMatcher {
    /// - Returns: `nil` if any text fits. Envoy refuses empty prefixes and empty regexes.
    init?(_ match: StringMatch) {
        self.init()
        switch match {
        case .exact(let text): exact = text
        case .prefix(""), .present: return nil
        case .prefix(let text): prefix = text
        case .regex(""): exact = ""
        case .regex(let text): safeRegex.regex = text
        }
    }
}
