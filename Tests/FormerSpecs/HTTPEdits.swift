import Documents
import MeshCore
import RE2

/// What is changed of a request's path and host before it goes to its destination.
package struct HTTPRewrite: Hashable, Sendable {
    package struct Regex: Hashable, Sendable {
        /// RE2 syntax.
        package var match: String
        /// With `\1` … `\9` for groups and `\0` for all that matched.
        package var rewrite: String
    }

    /// Takes the place of the prefix that a rule's `uri` matched, or of the whole path for other matches.
    package var uri: String?
    /// Takes the place of the host name.
    package var authority: String?
    package var uriRegex: Regex?

    init?(reading reader: FieldReader) {
        var fields = reader
        uri = fields.pathText("uri")
        authority = fields.headerText("authority")
        if let nested = fields.object("uriRegexRewrite") { uriRegex = Self.regex(nested) }
        if uri != nil && fields.has("uriRegexRewrite") {
            fields.log.report(fields.pointer, .conflict, "must have only one of uri and uriRegexRewrite")
        }
        fields.finish()
        if !["uri", "authority", "uriRegexRewrite"].contains(where: fields.has) {
            fields.log.report(fields.pointer, .required, "must have uri, authority or uriRegexRewrite")
            return nil
        }
    }

    private static func regex(_ reader: FieldReader) -> Regex? {
        var fields = reader
        let match = fields.string("match", required: true)
        let rewrite = fields.string("rewrite", required: true)
        fields.finish()
        guard let match, let rewrite else { return nil }
        let here = fields.pointer
        guard fields.log.readRegex(match, at: here.appending("match")) else { return nil }
        if let problem = RE2.problem(inSubstitution: rewrite, for: match) {
            fields.log.report(here.appending("rewrite"), .invalidFormat, problem)
        }
        return Regex(match: match, rewrite: rewrite)
    }

    var json: JSONValue {
        .fields([
            "uri": uri.map(JSONValue.string), "authority": authority.map(JSONValue.string),
            "uriRegexRewrite": uriRegex.map { ["match": .string($0.match), "rewrite": .string($0.rewrite)] },
        ])
    }
}

/// An answer that sends the client elsewhere.
package struct HTTPRedirect: Hashable, Sendable {
    package var uri: String?
    package var authority: String?
    package var scheme: String?
    package var port: Int?
    /// 301, 302, 303, 307 or 308. Default 301.
    package var code: Int

    init?(reading reader: FieldReader) {
        var fields = reader
        uri = fields.pathText("uri")
        authority = fields.headerText("authority")
        scheme = fields.headerText("scheme")
        if let scheme, !["http", "https"].contains(scheme) {
            fields.log.report(
                fields.pointer.appending("scheme"), .invalidValue, "must be http or https", choices: ["http", "https"])
        }
        port = fields.integer("port", in: 1...65_535).map { Int($0) }
        code = Int(fields.integer("redirectCode", in: 300...399) ?? 301)
        if ![301, 302, 303, 307, 308].contains(code) {
            fields.log.report(
                fields.pointer.appending("redirectCode"), .invalidValue, "must be 301, 302, 303, 307 or 308",
                choices: ["301", "302", "303", "307", "308"])
        }
        fields.refuse(["derivePort", "prefixRewrite"])
        fields.finish()
        if uri == nil && authority == nil && scheme == nil && port == nil {
            fields.log.report(fields.pointer, .required, "must have uri, authority, scheme or port")
            return nil
        }
    }

    var json: JSONValue {
        .fields([
            "uri": uri.map(JSONValue.string), "authority": authority.map(JSONValue.string),
            "scheme": scheme.map(JSONValue.string), "port": port.map { .integer(Int64($0)) },
            "redirectCode": code == 301 ? nil : .integer(Int64(code)),
        ])
    }
}

/// An answer that the sidecar gives by itself.
package struct HTTPDirectResponse: Hashable, Sendable {
    /// `200...599`.
    package var status: Int
    /// At most 4096 bytes, which is what Envoy accepts in a route configuration by default.
    package var body: String?

    init?(reading reader: FieldReader) {
        var fields = reader
        let status = fields.integer("status", in: 200...599, required: true)
        if var nested = fields.object("body") {
            body = nested.string("string", required: true)
            nested.refuse(["bytes"])
            nested.finish()
        }
        fields.finish()
        guard let status else { return nil }
        self.status = Int(status)
    }

    var json: JSONValue {
        .fields(["status": .integer(Int64(status)), "body": body.map { ["string": .string($0)] }])
    }
}

/// Headers that are set, added and removed on the way to the destination and back.
package struct HeaderOperations: Hashable, Sendable {
    package struct Edit: Hashable, Sendable {
        /// Take the place of what there is; by name. The values here and in ``add`` are as of ``HeaderFormat``.
        package var `set`: [String: String] = [:]
        /// Stand beside what there is; by name.
        package var add: [String: String] = [:]
        package var remove: [String] = []

        package var isEmpty: Bool { self.set.isEmpty && add.isEmpty && remove.isEmpty }
    }

    package var request = Edit()
    package var response = Edit()

    private static let hostNames: Set<String> = ["host", ":authority"]
    static let nameRule = "the name must be a token as of RFC 9110 section 5.6.2"

    package init() {}

    init(reading reader: FieldReader) {
        var fields = reader
        if let nested = fields.object("request") { request = Self.edit(nested) }
        if let nested = fields.object("response") { response = Self.edit(nested) }
        fields.finish()
    }

    package var isEmpty: Bool { request.isEmpty && response.isEmpty }

    private static func edit(_ reader: FieldReader) -> Edit {
        var fields = reader
        let edit = Edit(set: values("set", &fields), add: values("add", &fields), remove: names(&fields))
        fields.finish()
        return edit
    }

    private static func values(_ field: String, _ fields: inout FieldReader) -> [String: String] {
        let map = fields.stringMap(field)
        let here = fields.pointer.appending(field)
        for (name, value) in map.sorted(by: { $0.key < $1.key }) {
            check(name, at: here.appending(name), log: fields.log, mayBeHost: field == "set")
            if !HTTPToken.isFieldValue(value) {
                fields.log.report(here.appending(name), .invalidFormat, HTTPToken.valueRule)
            } else if hostNames.contains(name.lowercased()) {
                guard value.utf8.contains(UInt8(ascii: "%")) else { continue }
                fields.log.reportIfNew(
                    here.appending(name), .invalidFormat, "must not have a %: the host is taken as it stands")
            } else if let problem = HeaderFormat.problem(in: value) {
                fields.log.reportIfNew(
                    here.appending(name), .invalidFormat, problem.detail, choices: problem.choices)
            }
        }
        return map
    }

    private static func names(_ fields: inout FieldReader) -> [String] {
        let names = fields.strings("remove")
        for (index, name) in names.enumerated() {
            check(name, at: fields.pointer.appending("remove").appending(index), log: fields.log, mayBeHost: false)
        }
        return names
    }

    /// - Parameter mayBeHost: `set` of `host` or `:authority` rewrites the host name; nothing else may touch those, and
    ///   Envoy refuses other pseudo-headers.
    private static func check(_ name: String, at pointer: JSONPointer, log: ViolationLog, mayBeHost: Bool) {
        if hostNames.contains(name.lowercased()) {
            if !mayBeHost { log.report(pointer, .invalidValue, "the host can only be set") }
        } else if !HTTPToken.isValid(name) || name.hasPrefix(":") {
            log.report(pointer, .invalidFormat, nameRule)
        }
    }

    var json: JSONValue? {
        func object(_ edit: Edit) -> JSONValue? {
            edit.isEmpty
                ? nil
                : .fields([
                    "set": .map(edit.set), "add": .map(edit.add),
                    "remove": JSONValue.list(edit.remove, JSONValue.string),
                ])
        }
        return isEmpty ? nil : .fields(["request": object(request), "response": object(response)])
    }
}

extension HTTPToken {
    static let valueRule = "must be text without control characters (RFC 9110 section 5.5)"

    /// Whether `text` may be the value of a header.
    static func isFieldValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }
    }
}

extension FieldReader {
    /// A string that becomes a path, or the beginning of one.
    mutating func pathText(_ name: String) -> String? {
        let text = headerText(name)
        if let text, !text.hasPrefix("/") {
            log.reportIfNew(pointer.appending(name), .invalidValue, "must begin with /: it becomes the path")
        }
        return text
    }

    /// A string that becomes part of a header.
    mutating func headerText(_ name: String) -> String? {
        guard let text = string(name) else { return nil }
        guard !text.isEmpty, HTTPToken.isFieldValue(text) else {
            log.report(pointer.appending(name), .invalidFormat, "must not be empty and \(HTTPToken.valueRule)")
            return nil
        }
        return text
    }
}
