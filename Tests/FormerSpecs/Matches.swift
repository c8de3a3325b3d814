import MeshCore
import Documents
import RE2

/// How a text is compared: Istio's `StringMatch` (networking/v1, virtual_service.proto).
package enum StringMatch: Hashable, Sendable {
    case exact(String)
    case prefix(String)
    /// RE2 syntax; the whole text must match.
    case regex(String)
    /// Any value, as long as there is one.
    case present

    /// Reads `{"exact": …}`, `{"prefix": …}` or `{"regex": …}`; `{}` and the regex `*` mean ``present``, as in Istio.
    package init?(reading fields: inout FieldReader) {
        let exact = fields.string("exact")
        let prefix = fields.string("prefix")
        let regex = fields.string("regex")
        fields.finish()
        let given = [exact, prefix, regex].compactMap(\.self)
        guard given.count <= 1 else {
            fields.log.report(fields.pointer, .conflict, "must have only one of exact, prefix and regex")
            return nil
        }
        if let exact {
            self = .exact(exact)
        } else if let prefix {
            self = .prefix(prefix)
        } else if let regex, regex != "*" {
            guard fields.log.readRegex(regex, at: fields.pointer.appending("regex")) else { return nil }
            self = .regex(regex)
        } else {
            self = .present
        }
    }

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

    package var json: JSONValue {
        switch self {
        case .exact(let text): ["exact": .string(text)]
        case .prefix(let text): ["prefix": .string(text)]
        case .regex(let text): ["regex": .string(text)]
        case .present: [:]
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
package struct ContentMatch: Hashable, Sendable {
    /// By lower-case header name.
    package var headers: [String: StringMatch]
    /// By cookie name.
    package var cookies: [String: StringMatch]
    /// By name of a query parameter.
    package var queryParams: [String: StringMatch]
    package var path: StringMatch?

    package init(
        headers: [String: StringMatch] = [:], cookies: [String: StringMatch] = [:],
        queryParams: [String: StringMatch] = [:], path: StringMatch? = nil
    ) {
        self.headers = headers
        self.cookies = cookies
        self.queryParams = queryParams
        self.path = path
    }

    package init?(reading fields: inout FieldReader) {
        let before = fields.log.count
        headers = [:]
        for (name, match) in Self.matches("headers", &fields) { headers[name.lowercased()] = match }
        cookies = Self.matches("cookies", &fields)
        queryParams = Self.matches("queryParams", &fields)
        if var nested = fields.object("path") {
            path = StringMatch(reading: &nested)
            path?.checkConfinement(before: "?", at: nested.pointer, nested.log)
            path?.checkPath(at: nested.pointer, nested.log)
        }
        fields.finish()
        if headers.isEmpty && cookies.isEmpty && queryParams.isEmpty && path == nil {
            // A condition that is wrong has been told already.
            if fields.log.count == before {
                fields.log.report(
                    fields.pointer, .required, "must say something about headers, cookies, queryParams or path")
            }
            return nil
        }
    }

    private static func matches(_ field: String, _ fields: inout FieldReader) -> [String: StringMatch] {
        var matches: [String: StringMatch] = [:]
        for entry in fields.entries(field) {
            var nested = FieldReader(entry.value, at: entry.pointer, log: fields.log)
            guard let match = StringMatch(reading: &nested) else { continue }
            guard field == "queryParams" || HTTPToken.isValid(entry.name) else {
                fields.log.report(
                    entry.pointer, .invalidFormat, "the name must be a token as of RFC 9110 section 5.6.2")
                continue
            }
            switch field {
            case "cookies":
                match.checkConfinement(before: ";", at: entry.pointer, fields.log)
                match.checkValue(of: "the value of a cookie", at: entry.pointer, fields.log)
            case "headers": match.checkValue(of: "the value of a header", at: entry.pointer, fields.log)
            default:
                if !(1...1024).contains(entry.name.utf8.count) {
                    fields.log.reportIfNew(
                        entry.pointer, .invalidFormat, "the name must be 1 to 1024 bytes long")
                }
            }
            matches[entry.name] = match
        }
        return matches
    }

    package var json: JSONValue {
        func object(_ matches: [String: StringMatch]) -> JSONValue? {
            matches.isEmpty ? nil : .object(matches.mapValues(\.json))
        }
        return .fields([
            "headers": object(headers), "cookies": object(cookies), "queryParams": object(queryParams),
            "path": path?.json,
        ])
    }
}

/// Names of headers and cookies.
package enum HTTPToken {
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
