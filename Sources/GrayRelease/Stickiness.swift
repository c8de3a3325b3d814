package import Documents
internal import MeshCore

/// How a release keeps users on one version while it moves traffic: by a hash of something that their requests have in common.
///
/// The canary is the beginning of each destination's part of the hashes, so while its share grows users only go from stable to the
/// canary. Equal keys are chosen alike by every proxy, and by the next release.
package struct Stickiness: Document {
    /// A cookie that tells users apart.
    package struct Cookie: Document {
        package var name = ""
        /// With a lifetime, callers without a key are given the cookie; zero: for their session. Whole seconds.
        package var ttl: Duration?

        package init() {}

        package init(name: String, ttl: Duration? = nil) {
            self.name = name
            self.ttl = ttl
        }

        package static let schemaName: String? = "StickinessCookie"
        package static let fields: [Field<Self>] = [
            .required("name", \.name, cookieName, "The cookie's name."),
            .optional(
                "ttl", \.ttl, lifetime,
                """
                With it, callers whose requests have no key are given the cookie, and stay where this first request went; "0s": \
                until their session ends. Without it, nobody is given one.
                """),
        ]

        private static let cookieName = Shape<String>.token.examples("user").checked { name, place, log in
            if name.hasPrefix(":") { log.report(place.pointer, .invalidFormat, HTTPToken.rule) }
        }
        private static let lifetime = Shape<Duration>.duration().checked { ttl, place, log in
            guard ttl.components.attoseconds != 0 else { return }
            log.report(place.pointer, .invalidValue, "must be whole seconds: a cookie's lifetime has no others")
        }
    }

    /// The part of a request that tells users apart.
    package enum Source: Document {
        /// By lower-case name.
        case header(String)
        case cookie(Cookie)
        /// The last address of `x-forwarded-for`, else that of who connects.
        case sourceAddress

        package init() { self = .sourceAddress }

        package static let schemaName: String? = "StickinessSource"
        package static let fields: [Field<Self>] = [
            .oneOf(
                \.self,
                [
                    Case(
                        "header", headerName, "The name of a header whose value tells users apart.",
                        make: Source.header, get: { if case .header(let name) = $0 { name } else { nil } }),
                    Case(
                        "cookie", .document, "A cookie whose value tells users apart.", make: Source.cookie,
                        get: { if case .cookie(let cookie) = $0 { cookie } else { nil } }),
                    Case(
                        "sourceAddress", .bool,
                        """
                        The last address of x-forwarded-for, else that of who connects: for calls from the workload to its own \
                        sidecar that is always the same.
                        """, isOne: { $0 }, make: { _ in .sourceAddress },
                        get: { $0 == .sourceAddress ? true : nil }),
                ])
        ]
        package static let summary: String? = "Exactly one of header, cookie and sourceAddress."

        private static let headerName = Shape<String>.token.converted(
            to: { name, place, log in
                guard !name.hasPrefix(":") else {
                    log.report(place.pointer, .invalidValue, "must be a header; this is a pseudo-header")
                    return nil
                }
                return name.lowercased()
            }, from: { $0 })
    }

    /// The place in a release's `spec`.
    package static let path = ["strategy", "trafficRouting", "stickiness"]

    package var source: Source
    /// The cookie that tells those users apart whose requests do not have the header.
    package var fallback: Cookie?

    package init() { self.init(.sourceAddress) }

    package init(_ source: Source, fallback: Cookie? = nil) {
        self.source = source
        self.fallback = fallback
    }

    package static let fields: [Field<Self>] = [
        .constant("mode", "hash", isWritten: true, "users are told apart by a hash"),
        .required("source", \.source, .document, "What tells users apart. Requests without it go to either version."),
        .optional(
            "fallback", \.fallback,
            .object(of: "cookie", .document, "A cookie that tells them apart."),
            "What tells users apart whose requests do not have the header."),
    ]
    package static let summary: String? = """
        While both versions have a share, a user stays on one of them, and goes from stable to the canary only as that one's share \
        grows.
        """

    package func finish(_ reading: Members) {
        guard fallback != nil, reading.isRead("source") else { return }
        switch source {
        case .header: return
        case .cookie:
            reading.report("fallback", .conflict, "belongs to a header; a cookie is given to callers if it has a ttl")
        case .sourceAddress:
            reading.report("fallback", .conflict, "belongs to a header; every request has a source address")
        }
    }

    /// The cookie that may tell users apart, alone or besides a header.
    package var cookie: Cookie? {
        if case .cookie(let cookie) = source { cookie } else { fallback }
    }
}
