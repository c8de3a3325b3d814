package import Documents
package import MeshCore

/// The status of a service, as releases have made it; the server's part of the object.
package struct ServiceStatus: Hashable, Sendable {
    /// A retired version: another one took over from it. Rules that name it mean the stable version of the moment.
    package struct Promotion: Hashable, Sendable {
        package var from: Name
        /// The release that promoted its successor, in the service's namespace. `nil`: before that was kept.
        package var release: Name?
        /// When that was, by PostgreSQL's clock. `nil`: before that was kept.
        package var at: Timestamp?
        /// The release's ``ReleaseStrategy/rules``: rules that pin requests to ``from`` follow only if they are named here.
        package var rules: [String]

        package init(from: Name, release: Name? = nil, at: Timestamp? = nil, rules: [String] = []) {
            self.from = from
            self.release = release
            self.at = at
            self.rules = rules
        }
    }

    /// The version that "the service" means wherever none is named. `nil`: all versions, by their endpoints.
    package var stableVersion: Name?
    /// Retired versions, in the order in which they retired; each once, and never ``stableVersion``. An entry ends only by
    /// `clearPromotions`, or when its version becomes stable again: not when no rule names it any more.
    package var promotions: [Promotion]

    package init(stableVersion: Name? = nil, promotions: [Promotion] = []) {
        self.stableVersion = stableVersion
        self.promotions = promotions
    }

    /// The entry of a version that means the stable one instead of itself.
    package func promotion(from version: Name) -> Promotion? {
        stableVersion == nil || version == stableVersion ? nil : promotions.first { $0.from == version }
    }

    /// Reads what ``json`` wrote; anything that does not look like it is left out.
    ///
    /// Earlier servers kept a history, `{"from", "to", "revision"}`: whatever in it is not stable is retired.
    package init(_ document: JSONValue) {
        stableVersion = document["stableVersion"]?.stringValue.flatMap(Name.init)
        promotions = []
        guard let stableVersion else { return }
        for item in document["promotions"]?.arrayValue ?? [] {
            guard let from = item["from"]?.stringValue.flatMap(Name.init), from != stableVersion,
                !promotions.contains(where: { $0.from == from })
            else { continue }
            promotions.append(
                Promotion(
                    from: from, release: item["release"]?.stringValue.flatMap(Name.init),
                    at: item["at"]?.stringValue.flatMap(Timestamp.init(text:)),
                    rules: (item["rules"]?.arrayValue ?? []).compactMap(\.stringValue)))
        }
    }

    package var json: JSONValue {
        .fields([
            "stableVersion": stableVersion.map { .string($0.text) },
            "promotions": JSONValue.list(promotions) {
                .fields([
                    "from": .string($0.from.text), "release": $0.release.map { .string($0.text) },
                    "at": $0.at.map { .string($0.text) }, "rules": JSONValue.list($0.rules, JSONValue.string),
                ])
            },
        ])
    }
}

extension ServiceStatus {
    /// The effect of a release on the service that it is about.
    package enum Change: Hashable, Sendable {
        /// Names the version in charge, if none is named yet.
        case setStable(Name)
        /// One version takes over from the other.
        case promote(from: Name, to: Name, at: Timestamp, rules: [String])
        /// Takes a promotion back: what was so before it is so again.
        case restore(ServiceStatus)
    }

    /// - Parameter release: whose decision it is.
    package mutating func apply(_ change: Change, by release: Name) {
        switch change {
        case .setStable(let version):
            guard stableVersion == nil else { return }
            become(version)
        case .promote(let from, let to, let at, let rules):
            become(to)
            promotions.removeAll { $0.from == from }
            if from != to { promotions.append(Promotion(from: from, release: release, at: at, rules: rules)) }
        case .restore(let before): self = before
        }
    }

    /// Ends the entry of a version, or of all: whoever names it means it again.
    package mutating func clearPromotions(from version: Name? = nil) {
        promotions.removeAll { version == nil || $0.from == version }
    }

    /// A version that is in charge is not retired.
    private mutating func become(_ version: Name) {
        stableVersion = version
        promotions.removeAll { $0.from == version }
    }
}
