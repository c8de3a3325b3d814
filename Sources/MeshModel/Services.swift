/// A service of the mesh: what callers name, with the ports it offers and the versions it runs in.
package struct ServiceSpec: Spec {
    package static let kind = Kind.service

    /// How a port's traffic is understood. It is declared, never sniffed.
    package enum AppProtocol: String, CaseIterable, Sendable {
        case http = "HTTP"
        case http2 = "HTTP2"
        case grpc = "GRPC"
        case tcp = "TCP"

        package var isHTTP: Bool { self != .tcp }
        /// Whether connections to the workload speak HTTP/2.
        package var isHTTP2: Bool { self == .http2 || self == .grpc }
    }

    package struct Port: Hashable, Sendable {
        package var name: Name
        /// `1...65_535`: what callers put behind the host name.
        package var number: Int
        package var appProtocol: AppProtocol
    }

    /// A version that can be released; endpoints name it. (灰度版本, 原版本)
    package struct Version: Hashable, Sendable {
        package var name: Name
        package var labels: [String: String]
    }

    /// At least one, at most 32; names and numbers are unique.
    package var ports: [Port]
    /// At most 64; names are unique. May be empty: then all endpoints are one.
    package var versions: [Version]

    package init?(reading fields: inout FieldReader) {
        ports = Self.ports(&fields)
        versions = Self.versions(&fields)
        fields.finish()
    }

    private static func ports(_ fields: inout FieldReader) -> [Port] {
        var ports: [Port] = []
        for var item in fields.objects("ports", required: true, atMost: 32) {
            let name = item.name("name", required: true)
            let number = item.integer("port", in: 1...65_535, required: true)
            let appProtocol: AppProtocol = item.choice("protocol") ?? .http
            item.finish()
            guard let name, let number else { continue }
            if ports.contains(where: { $0.name == name }) {
                item.log.report(item.pointer.appending("name"), .duplicate, "names of ports must be unique")
            }
            if ports.contains(where: { $0.number == Int(number) }) {
                item.log.report(item.pointer.appending("port"), .duplicate, "numbers of ports must be unique")
            }
            ports.append(Port(name: name, number: Int(number), appProtocol: appProtocol))
        }
        return ports
    }

    private static func versions(_ fields: inout FieldReader) -> [Version] {
        var versions: [Version] = []
        for var item in fields.objects("versions", atMost: 64) {
            let name = item.name("name", required: true)
            let labels = item.stringMap("labels")
            item.finish()
            guard let name else { continue }
            if versions.contains(where: { $0.name == name }) {
                item.log.report(item.pointer.appending("name"), .duplicate, "names of versions must be unique")
            }
            versions.append(Version(name: name, labels: labels))
        }
        return versions
    }

    package var json: JSONValue {
        .fields([
            "ports": .array(
                ports.map {
                    [
                        "name": .string($0.name.text), "port": .integer(Int64($0.number)),
                        "protocol": .string($0.appProtocol.rawValue),
                    ]
                }),
            "versions": JSONValue.list(versions) {
                .fields(["name": .string($0.name.text), "labels": .map($0.labels)])
            },
        ])
    }

    package func port(_ number: Int) -> Port? { ports.first { $0.number == number } }
    package func hasVersion(_ name: Name) -> Bool { versions.contains { $0.name == name } }
}

/// What releases have made of a service; the server's part of the object.
package struct ServiceStatus: Hashable, Sendable {
    /// A version that took over from another one, and when.
    package struct Promotion: Hashable, Sendable {
        package var from: Name
        package var to: Name
        /// Rules written before this revision of the mesh that name `from` mean `to` from then on. A rule written later
        /// means what it says.
        package var revision: Revision

        package init(from: Name, to: Name, revision: Revision) {
            self.from = from
            self.to = to
            self.revision = revision
        }
    }

    /// The version that traffic goes to which no rule matches. `nil`: all versions, by their endpoints.
    package var stableVersion: Name?
    /// Oldest first; at most the last 16.
    package var promotions: [Promotion]

    package init(stableVersion: Name? = nil, promotions: [Promotion] = []) {
        self.stableVersion = stableVersion
        self.promotions = promotions
    }

    /// Reads what ``json`` wrote; anything that does not look like it is left out.
    package init(_ document: JSONValue) {
        stableVersion = document["stableVersion"]?.stringValue.flatMap(Name.init)
        promotions = (document["promotions"]?.arrayValue ?? []).compactMap { item in
            guard let from = item["from"]?.stringValue.flatMap(Name.init),
                let to = item["to"]?.stringValue.flatMap(Name.init), let revision = item["revision"]?.integerValue
            else { return nil }
            return Promotion(from: from, to: to, revision: revision)
        }
    }

    package var json: JSONValue {
        .fields([
            "stableVersion": stableVersion.map { .string($0.text) },
            "promotions": JSONValue.list(promotions) {
                [
                    "from": .string($0.from.text), "to": .string($0.to.text), "revision": .integer($0.revision),
                ]
            },
        ])
    }
}
