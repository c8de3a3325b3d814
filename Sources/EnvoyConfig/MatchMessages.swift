internal import EnvoyProtos
internal import MeshCompiler
internal import MeshCore
internal import SwiftProtobuf

typealias HeaderMatcher = Envoy_Config_Route_V3_HeaderMatcher
typealias RouteMatchMessage = Envoy_Config_Route_V3_RouteMatch

extension RouteMatchMessage {
    init(_ match: IR.RouteMatch) {
        self.init()
        switch match.path {
        case .exact(let text): path = text
        case .prefix(let text): prefix = text
        case .regex(let text): safeRegex.regex = text
        case .present: prefix = "/"
        }
        if match.ignoresCase { caseSensitive = Google_Protobuf_BoolValue(false) }
        for (name, text) in [(":method", match.method), (":scheme", match.scheme), (":authority", match.authority)] {
            if let text { headers.append(HeaderMatcher(name, text)) }
        }
        headers += match.headers.map { HeaderMatcher($0.name, $0.match) }
        headers += match.withoutHeaders.map { condition in
            var matcher = HeaderMatcher(condition.name, condition.match)
            matcher.invertMatch = true
            // Absent counts as something else than what must not be there. A condition that any value fits asks whether there
            // is one, and absent must stay absent.
            matcher.treatMissingHeaderAsEmpty = !condition.match.fitsAnyValue
            return matcher
        }
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
        guard !match.fitsAnyValue else { return nil }
        self.init()
        switch match {
        case .exact(let text): exact = text
        case .present: return nil
        case .prefix(let text): prefix = text
        case .regex(""): exact = ""
        case .regex(let text): safeRegex.regex = text
        }
    }
}
