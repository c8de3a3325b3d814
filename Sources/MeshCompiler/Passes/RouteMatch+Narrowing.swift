internal import Documents
internal import MeshCore
internal import MeshModel
internal import RE2

/// A rule's condition with a release's condition besides: the copy of the rule that a release puts before it.
///
/// The path's own specifier stays the rule's, because a rewrite replaces what that matched. What is further said about the
/// path is a condition on `:path`, which has the query as well, so it ends where the query begins.
extension IR.RouteMatch {
    /// - Returns: `nil` if no request can fit both.
    func narrowed(by content: ContentMatch) -> IR.RouteMatch? {
        guard var match = narrowed(toPath: content.path ?? .present) else { return nil }
        for condition in Self.conditions(content.headers) {
            guard match.headers.allSatisfy({ $0.name != condition.name || !$0.match.excludes(condition.match) }) else {
                return nil
            }
            match.headers.append(condition)
        }
        for condition in Self.conditions(content.cookies) {
            guard let value = CookieCondition.pattern(of: condition) else { return nil }
            match.headers.append(Condition(name: "cookie", match: .regex(value)))
        }
        for condition in Self.conditions(content.queryParams) {
            let same = match.queryParams.filter { $0.name == condition.name }
            guard same.allSatisfy({ !$0.match.excludes(condition.match) }) else { return nil }
            match.queryParams.append(condition)
        }
        return match
    }

    /// - Returns: `nil` if no request can fit both.
    func narrowed(toPath condition: StringMatch) -> IR.RouteMatch? {
        switch condition {
        case .present, .prefix(""), .prefix("/"): return self
        // A path ends where the query begins.
        case .exact(let text) where text.contains("?"), .prefix(let text) where text.contains("?"): return nil
        default: break
        }
        if !ignoresCase {
            switch (path, condition) {
            case (.exact(let own), _):
                if let fits = condition.fits(own) { return fits ? self : nil }
            case (.prefix(let own), .prefix(let further)):
                if own.utf8.starts(with: further.utf8) { return self }
                guard further.utf8.starts(with: own.utf8) else { return nil }
            case (.prefix(let own), .exact(let further)):
                guard further.utf8.starts(with: own.utf8) else { return nil }
            default: break
            }
        }
        guard let further = Self.pathCondition(condition) else { return nil }
        var match = self
        if !match.headers.contains(further) { match.headers.append(further) }
        return match
    }

    /// The condition, and that a request has nothing that tells users apart.
    ///
    /// - Returns: `nil` if no request can fit both.
    func without(_ keys: [ConsistentHash.Source]) -> IR.RouteMatch? {
        var match = self
        for key in keys {
            switch key {
            case .header(let name):
                guard !headers.contains(where: { $0.name == name }) else { return nil }
                match.withoutHeaders.append(Condition(name: name, match: .present))
            case .cookie(let cookie):
                // An empty one tells nobody apart.
                let some = Condition(name: cookie.name, match: .regex("[^;]+"))
                guard let pattern = CookieCondition.pattern(of: some) else { return nil }
                match.withoutHeaders.append(Condition(name: "cookie", match: .regex(pattern)))
            // Every request has one.
            case .sourceIP: return nil
            case .queryParameter: return nil
            }
        }
        return match
    }

    /// A condition on `:path` that does not look at the query.
    private static func pathCondition(_ condition: StringMatch) -> Condition? {
        let query = "(?:\\?.*)?"
        switch condition {
        case .exact(let text): return Condition(name: ":path", match: .regex(RE2.quoted(text) + query))
        case .regex(let regex):
            guard let confined = try? RE2.confined(regex, before: "?") else { return nil }
            return Condition(name: ":path", match: .regex("(?:\(confined))\(query)"))
        case .prefix, .present: return Condition(name: ":path", match: condition)
        }
    }

    /// - Parameter methods: empty: all.
    /// - Returns: `nil` if no request can fit both.
    func narrowed(toMethods methods: [String]) -> IR.RouteMatch? {
        guard !methods.isEmpty else { return self }
        let own = method ?? .present
        let fitting = methods.filter { own.fits($0) != false }.sorted()
        guard let first = fitting.first else { return nil }
        let condition: StringMatch =
            fitting.count == 1 ? .exact(first) : .regex(fitting.map(RE2.quoted).joined(separator: "|"))
        var match = self
        if fitting.contains(where: { own.fits($0) == nil }) {
            match.headers.append(Condition(name: ":method", match: condition))
        } else {
            match.method = condition
        }
        return match
    }
}

/// A condition on one cookie as a condition on the whole `cookie` header, in which Envoy has all of a request's cookies with
/// `; ` in between. (Envoy 1.36, the oldest that is supported, knows no conditions on cookies.)
enum CookieCondition {
    /// - Returns: `nil` for a regex that cannot be used inside a longer one, which is refused when it is written.
    static func pattern(of condition: IR.RouteMatch.Condition) -> String? {
        let value: String
        switch condition.match {
        case .exact(let text): value = RE2.quoted(text)
        case .prefix(let text): value = RE2.quoted(text) + "[^;]*"
        case .regex(let regex):
            guard let confined = try? RE2.confined(regex, before: ";") else { return nil }
            value = "(?:\(confined))"
        case .present: value = "[^;]*"
        }
        return "(?:.*;\\s*)?\(RE2.quoted(condition.name))=\(value)(?:\\s*;.*)?"
    }
}

extension StringMatch {
    /// Whether a text fits; `nil` if that cannot be said.
    fileprivate func fits(_ text: String) -> Bool? {
        switch self {
        case .present: return true
        case .exact(let expected): return text.utf8.elementsEqual(expected.utf8)
        case .prefix(let expected): return text.utf8.starts(with: expected.utf8)
        case .regex(let regex):
            var budget = StepBudget(Limits.compilationSteps.value)
            return RE2.matches(regex, text, &budget)
        }
    }

    /// Whether nothing can fit both, where that is plain.
    fileprivate func excludes(_ other: StringMatch) -> Bool {
        if case .exact(let text) = self { return other.fits(text) == false }
        if case .exact(let text) = other { return fits(text) == false }
        return false
    }
}
