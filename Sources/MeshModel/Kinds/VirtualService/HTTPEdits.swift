package import Documents
internal import MeshCore
internal import RE2

/// A rewrite of a request's path and host before it goes to its destination.
package struct HTTPRewrite: Document {
    package struct Regex: Document {
        /// RE2 syntax.
        package var match = ""
        /// With `\1` … `\9` for groups and `\0` for all that matched.
        package var rewrite = ""

        package init() {}

        package static let schemaName: String? = nil
        package static let fields: [Field<Self>] = [
            .required("match", \.match, .regex, "What is replaced of the path."),
            .required(
                "rewrite", \.rewrite, .string().examples("/a"),
                "With `\\1` … `\\9` for groups and `\\0` for all that matched."),
        ]

        package func finish(_ reading: Members) {
            guard reading.isRead("match"), reading.isRead("rewrite") else { return }
            if let problem = RE2.problem(inSubstitution: rewrite, for: match) {
                reading.report("rewrite", .invalidFormat, problem)
            }
        }
    }

    /// Takes the place of the prefix that a rule's `uri` matched, of the whole path if that is exact or a regex, and of the
    /// leading `/` if there is none.
    package var uri: String?
    /// Takes the place of the host name.
    package var authority: String?
    package var uriRegex: Regex?

    package init() {}

    package static let fields: [Field<Self>] = [
        .optional(
            "uri", \.uri, .pathText,
            """
            Takes the place of the prefix that the rule's uri matched, of the whole path if that is exact or a regex, and of the \
            leading / if the rule has no uri.
            """),
        .optional("authority", \.authority, .headerText, "Takes the place of the host name."),
        .optional("uriRegexRewrite", \.uriRegex, .document, "Replaces what a regex matches of the path."),
    ]
    package static let summary: String? =
        "At least one of uri, authority and uriRegexRewrite; not both uri and uriRegexRewrite."

    package func finish(_ reading: Members) {
        if reading.isRead("uri") && reading.has("uriRegexRewrite") {
            reading.log.report(reading.pointer, .conflict, "must have only one of uri and uriRegexRewrite")
        }
        if !["uri", "authority", "uriRegexRewrite"].contains(where: reading.has) {
            reading.log.report(reading.pointer, .required, "must have uri, authority or uriRegexRewrite")
        }
    }
}

/// An answer that sends the client elsewhere.
package struct HTTPRedirect: Document {
    package var uri: String?
    package var authority: String?
    package var scheme: String?
    package var port: Int?
    /// 301, 302, 303, 307 or 308. Default 301.
    package var code = 301

    package init() {}

    package static let fields: [Field<Self>] = [
        .optional("uri", \.uri, .pathText, "The new path."),
        .optional("authority", \.authority, .headerText, "The new host name."),
        .optional("scheme", \.scheme, httpScheme, "The new scheme."),
        .optional("port", \.port, .port, "The new port."),
        .defaulted("redirectCode", \.code, redirectCode, isWritten: false, "The answer's status."),
        .refused("derivePort", "write the port"),
        .refused("prefixRewrite", "write the whole path"),
    ]
    package static let summary: String? = "At least one of uri, authority, scheme and port."

    private static let httpScheme = Shape<String>.headerText.checked { scheme, place, log in
        guard !["http", "https"].contains(scheme) else { return }
        log.report(place.pointer, .invalidValue, "must be http or https", choices: ["http", "https"])
    }.described(by: .value(["type": "string", "enum": ["http", "https"]]))

    private static let redirectCode = Shape<Int>.integer(300...399).checked { code, place, log in
        guard ![301, 302, 303, 307, 308].contains(code) else { return }
        log.report(
            place.pointer, .invalidValue, "must be 301, 302, 303, 307 or 308",
            choices: ["301", "302", "303", "307", "308"])
    }.described(by: .value(["type": "integer", "enum": [301, 302, 303, 307, 308]]))

    package func finish(_ reading: Members) {
        if !["uri", "authority", "scheme", "port"].contains(where: reading.has) {
            reading.log.report(reading.pointer, .required, "must have uri, authority, scheme or port")
        }
    }
}

/// An answer that the sidecar gives by itself.
package struct HTTPDirectResponse: Document {
    /// `200...599`.
    package var status = 0
    /// At most ``maxBodyBytes``; of what was stored before they were counted the rest is not sent.
    package var body: String?

    /// Envoy's default limit for the body in a route configuration (`max_direct_response_body_size_bytes`).
    package static let maxBodyBytes = 4096

    package init() {}

    package static let fields: [Field<Self>] = [
        .required("status", \.status, .integer(200...599), "The answer's status."),
        .optional(
            "body", \.body,
            .object(of: "string", text, refused: ["bytes": "write the body as string"], "Text, at most 4096 bytes."),
            "The answer's body. Default: none."),
    ]

    private static let text = Shape<String>.string(atMost: maxBodyBytes).checked { text, place, log in
        guard text.utf8.count > maxBodyBytes else { return }
        log.reportIfNew(place.pointer, .tooLong, "must be at most \(maxBodyBytes) bytes long")
    }
}

/// Headers that are set, added and removed on the way to the destination and back.
package struct HeaderOperations: Document {
    package struct Edit: Document {
        /// Take the place of what there is; by name. The values here and in ``add`` are as of ``HeaderFormat``.
        package var `set`: [String: String] = [:]
        /// Stand beside what there is; by name.
        package var add: [String: String] = [:]
        package var remove: [String] = []

        package init() {}

        package static let schemaName: String? = "HeaderEdit"
        package static let fields: [Field<Self>] = [
            .defaulted("set", \.set, values(mayBeHost: true), "Take the place of what there is; by name."),
            .defaulted("add", \.add, values(mayBeHost: false), "Stand beside what there is; by name."),
            .defaulted("remove", \.remove, .list(of: removed, 0...1000), "Names."),
        ]
        package static let summary: String? = """
            As in Istio, Envoy's commands stand in values for what it knows of the request, such as `%REQ(x-user)%` or \
            `%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%`, and `%%` for one percent sign. Refused are unknown commands, and those \
            that tell about the sidecar instead of the request, such as `%ENVIRONMENT(…)%`.
            """

        package var isEmpty: Bool { self.set.isEmpty && add.isEmpty && remove.isEmpty }
    }

    package var request = Edit()
    package var response = Edit()

    package init() {}

    package static let fields: [Field<Self>] = [
        .defaulted("request", \.request, .documentUnlessEmpty, "Of requests."),
        .defaulted("response", \.response, .documentUnlessEmpty, "Of answers."),
    ]

    package var isEmpty: Bool { request.isEmpty && response.isEmpty }
}

extension HeaderOperations.Edit {
    private static let hostNames: Set<String> = ["host", ":authority"]

    private static let removed = Shape<String>.text.examples("x-user").checked { name, place, log in
        check(name, at: place.pointer, log: log, mayBeHost: false)
    }

    private static func values(mayBeHost: Bool) -> Shape<[String: String]> {
        Shape<[String: String]>.strings.checked { map, place, log in
            let here = place.pointer
            for (name, value) in map.sorted(by: { $0.key < $1.key }) {
                let pointer = here.appending(name)
                check(name, at: pointer, log: log, mayBeHost: mayBeHost)
                check(value, of: name, at: pointer, log: log)
            }
        }
    }

    private static func check(_ value: String, of name: String, at pointer: JSONPointer, log: ViolationLog) {
        if !HTTPToken.isFieldValue(value) {
            log.report(pointer, .invalidFormat, HTTPToken.valueRule)
        } else if hostNames.contains(name.lowercased()) {
            guard value.utf8.contains(UInt8(ascii: "%")) else { return }
            log.reportIfNew(pointer, .invalidFormat, "must not have a %: the host is taken as it stands")
        } else if let problem = HeaderFormat.problem(in: value) {
            log.reportIfNew(pointer, .invalidFormat, problem.detail, choices: problem.choices)
        }
    }

    /// - Parameter mayBeHost: `set` of `host` or `:authority` rewrites the host name; nothing else may touch those, and
    ///   Envoy refuses other pseudo-headers.
    private static func check(_ name: String, at pointer: JSONPointer, log: ViolationLog, mayBeHost: Bool) {
        if hostNames.contains(name.lowercased()) {
            if !mayBeHost { log.report(pointer, .invalidValue, "the host can only be set") }
        } else if !HTTPToken.isValid(name) || name.hasPrefix(":") {
            log.report(pointer, .invalidFormat, HTTPToken.rule)
        }
    }
}
