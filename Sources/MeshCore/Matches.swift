package import Documents
internal import RE2

/// How a text is compared: Istio's `StringMatch` (networking/v1, virtual_service.proto).
package enum StringMatch: Document {
    case exact(String)
    case prefix(String)
    /// RE2 syntax; the whole text must match.
    case regex(String)
    /// Any value, as long as there is one.
    case present

    package init() { self = .present }

    package static let fields: [Field<Self>] = [
        .oneOf(
            defaulting: \.self,
            [
                Case(
                    "exact", .string(), "The whole text.", make: StringMatch.exact,
                    get: { if case .exact(let text) = $0 { text } else { nil } }),
                Case(
                    "prefix", .string(), "How the text begins.", make: StringMatch.prefix,
                    get: { if case .prefix(let text) = $0 { text } else { nil } }),
                Case(
                    "regex", regexOrStar, "What the whole text matches; `*` is any value.",
                    make: { $0 == "*" ? .present : .regex($0) },
                    get: { if case .regex(let text) = $0 { text } else { nil } }),
            ])
    ]
    package static let summary: String? =
        "At most one of the three; with none, any value fits, as long as there is one."

    private static let regexOrStar = Shape<String>.string().converted(
        to: { text, place, log in text == "*" || log.readRegex(text, at: place.pointer) ? text : nil },
        from: { $0 }
    ).described(by: Shape.regex.schema)

    /// Whether it is only asked that there is a value.
    package var fitsAnyValue: Bool {
        switch self {
        case .present, .prefix(""), .regex(".*"): true
        default: false
        }
    }

    /// Whether an empty text fits, as far as that can be told.
    package var fitsEmptyText: Bool {
        switch self {
        case .exact(let text), .prefix(let text): text.isEmpty
        case .regex(let regex): RE2.matches(regex, "") == true
        case .present: true
        }
    }
}

extension StringMatch {
    /// Reports what can never match because the text that it is compared with ends before a character, and a regex that cannot be
    /// used inside a longer text, as conditions on a cookie and on the path beside a rule's own are (``RE2/confined(_:before:)``).
    package func checkConfinement(before terminator: Unicode.Scalar, at pointer: JSONPointer, _ log: ViolationLog) {
        let regex: String
        switch self {
        case .present: return
        case .exact(let text), .prefix(let text):
            if text.unicodeScalars.contains(terminator) {
                log.reportIfNew(
                    pointer, .invalidValue, "can never match: what is compared ends before the first \"\(terminator)\"")
            }
            return
        case .regex(let text): regex = text
        }
        do throws(RE2.Unconfinable) {
            _ = try RE2.confined(regex, before: terminator)
        } catch {
            log.report(
                pointer.appending("regex"), .unsupported,
                "\(error.text): it is matched inside a longer text, and must end before its \"\(terminator)\"")
        }
    }
}

extension StringMatch {
    /// Reports what no path can be: every one begins with `/`, but for the `*` of OPTIONS.
    package func checkPath(at pointer: JSONPointer, _ log: ViolationLog) {
        switch self {
        case .exact(let text) where !text.hasPrefix("/") && text != "*",
            .prefix(let text) where !text.hasPrefix("/") && !text.isEmpty && text != "*":
            log.reportIfNew(pointer, .invalidValue, "can never match: a path must begin with /")
        default: return
        }
    }

    /// Reports what no value of a header can be: blanks around it are not part of it, and control characters are not let in
    /// (RFC 9110 section 5.5).
    ///
    /// - Parameter what: `the value of a header`, or of something inside of one.
    package func checkValue(of what: String, at pointer: JSONPointer, _ log: ViolationLog) {
        let text: String
        var isEndFixed = false
        switch self {
        case .present, .regex: return
        case .prefix(let prefix): text = prefix
        case .exact(let exact): (text, isEndFixed) = (exact, true)
        }
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        if text.utf8.contains(where: { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F }) {
            log.reportIfNew(pointer, .invalidValue, "can never match: \(what) has no control characters")
        } else if text.utf8.first.map(isBlank) == true || (isEndFixed && text.utf8.last.map(isBlank) == true) {
            log.reportIfNew(pointer, .invalidValue, "can never match: \(what) neither begins nor ends with a blank")
        }
    }
}

/// A condition on a request, as release steps use it: all parts that are given must hold.
package struct ContentMatch: Document {
    /// By lower-case header name.
    package var headers: [String: StringMatch]
    /// By cookie name.
    package var cookies: [String: StringMatch]
    /// By name of a query parameter.
    package var queryParams: [String: StringMatch]
    package var path: StringMatch?
    /// The short form of a condition on `user-agent`, while a document is read.
    private var client: ClientMatch?

    package init() { self.init(headers: [:]) }

    package init(
        headers: [String: StringMatch] = [:], cookies: [String: StringMatch] = [:],
        queryParams: [String: StringMatch] = [:], path: StringMatch? = nil
    ) {
        self.headers = headers
        self.cookies = cookies
        self.queryParams = queryParams
        self.path = path
    }

    package static let fields: [Field<Self>] = [
        .defaulted("headers", \.headers, .headerMatches, "By header name."),
        .defaulted("cookies", \.cookies, cookieMatches, "By cookie name."),
        .defaulted("queryParams", \.queryParams, .queryMatches, "By name of a query parameter."),
        .optional("path", \.path, pathMatch, "The path without its query."),
        .optional(
            "client", \.client, .document,
            "What the client says that it is; stored as the condition on the header user-agent that it stands for."),
    ]
    package static let summary: String? = "All parts that are given must hold; at least one must be given."

    private static let cookieMatches = Shape<[String: StringMatch]>.map(
        of: .document.checked { match, place, log in
            match.checkConfinement(before: ";", at: place.pointer, log)
            match.checkValue(of: "the value of a cookie", at: place.pointer, log)
        }, key: HTTPToken.checked, name: { $0 })
    private static let pathMatch = Shape<StringMatch>.document.checked { match, place, log in
        match.checkConfinement(before: "?", at: place.pointer, log)
        match.checkPath(at: place.pointer, log)
    }

    package mutating func finish(_ reading: Members) {
        if let client {
            self.client = nil
            if headers["user-agent"] != nil {
                reading.report("client", .conflict, "stands for a condition on user-agent, and there is one")
            }
            headers["user-agent"] = .regex(client.regex)
        }
        // A condition that is wrong has been told already.
        guard self == ContentMatch(), !reading.isWrong else { return }
        reading.log.report(
            reading.pointer, .required, "must say something about headers, cookies, queryParams or path")
    }
}

extension Shape where Value == [String: StringMatch] {
    /// Conditions by lower-case header name.
    package static var headerMatches: Shape {
        map(
            of: .document.checked { match, place, log in
                match.checkValue(of: "the value of a header", at: place.pointer, log)
            }, key: { HTTPToken.checked($0, $1, $2)?.lowercased() }, name: { $0 })
    }

    /// Conditions by name of a query parameter.
    package static var queryMatches: Shape {
        map(
            of: .document,
            key: { name, place, log in
                if !(1...1024).contains(name.utf8.count) {
                    log.reportIfNew(place.pointer, .invalidFormat, "the name must be 1 to 1024 bytes long")
                }
                return name
            }, name: { $0 })
    }
}

extension Shape where Value == String {
    /// The name of a header or cookie.
    package static var token: Shape {
        string(atMost: 256).examples("x-user").converted(to: HTTPToken.checked, from: { $0 })
    }
}

/// Names of headers and cookies.
package enum HTTPToken {
    package static let rule = "the name must be a token as of RFC 9110 section 5.6.2"

    /// A name that may be one, else `nil` after a report.
    package static func checked(_ name: String, _ place: Place, _ log: ViolationLog) -> String? {
        if isValid(name) { return name }
        log.report(place.pointer, .invalidFormat, rule)
        return nil
    }

    /// Whether `text` is a token (RFC 9110 section 5.6.2), optionally with the leading colon of a pseudo-header.
    package static func isValid(_ text: String) -> Bool {
        let name = text.utf8.first == UInt8(ascii: ":") ? text.utf8.dropFirst() : text.utf8[...]
        return (1...256).contains(name.count)
            && name.allSatisfy { byte in
                switch byte {
                case 48...57, 65...90, 97...122: true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}
