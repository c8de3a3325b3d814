package import Documents
package import MeshCore

/// A service of the mesh: what callers name, with the ports it offers and the versions it runs in.
package struct ServiceSpec: ResourceKind {
    package static let info = KindInfo(
        "Service", in: .namespace, roles: KindRoles(write: .developers),
        methods: [
            CustomMethod("clearStable", .operators.union([.releaser])),
            CustomMethod("clearPromotions", .operators.union([.releaser])),
        ])

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

    package struct Port: Document {
        package var name: Name
        /// `1...65_535`: what callers put behind the host name.
        package var number: Int
        package var appProtocol: AppProtocol

        package init() { self.init(name: .blank, number: 0, appProtocol: .http) }

        package init(name: Name, number: Int, appProtocol: AppProtocol) {
            self.name = name
            self.number = number
            self.appProtocol = appProtocol
        }

        package static let schemaName: String? = nil
        package static let fields: [Field<Self>] = [
            .required("name", \.name, .name, "What endpoints call it."),
            .required("port", \.number, .port, "What callers put behind the host name."),
            .defaulted("protocol", \.appProtocol, .choice, "How its traffic is understood; declared, never sniffed."),
        ]
    }

    /// A version that can be released; endpoints name it. (灰度版本, 原版本)
    package struct Version: Document {
        package var name: Name
        package var labels: [String: String]

        package init() { self.init(name: .blank, labels: [:]) }

        package init(name: Name, labels: [String: String]) {
            self.name = name
            self.labels = labels
        }

        package static let schemaName: String? = nil
        package static let fields: [Field<Self>] = [
            .required("name", \.name, .name, "What endpoints, subsets and releases call it."),
            .defaulted("labels", \.labels, .strings, "By which subsets select it."),
        ]
    }

    /// At least one, at most 32; names and numbers are unique.
    package var ports: [Port]
    /// At most 64; names are unique. May be empty: then all endpoints are one.
    package var versions: [Version]

    package init() { self.init(ports: []) }

    package init(ports: [Port], versions: [Version] = []) {
        self.ports = ports
        self.versions = versions
    }

    package static let fields: [Field<Self>] = [
        .required(
            "ports", \.ports,
            .list(
                of: .document, 1...32,
                Uniqueness({ $0.name }, at: ["name"], "names of ports must be unique"),
                Uniqueness({ $0.number }, at: ["port"], "numbers of ports must be unique")),
            "What the service offers."),
        .defaulted(
            "versions", \.versions,
            .list(of: .document, 0...64, Uniqueness({ $0.name }, at: ["name"], "names of versions must be unique")),
            "What can be released. Left out: all endpoints are one."),
    ]

    package func port(_ number: Int) -> Port? { ports.first { $0.number == number } }
    package func hasVersion(_ name: Name) -> Bool { versions.contains { $0.name == name } }

    /// The versions that a selector means: those that have all of its labels, as Kubernetes selects. A version that says
    /// nothing about the label `version` has its name there.
    package func versions(selectedBy selector: [String: String]) -> [Name] {
        versions.filter { version in
            selector.allSatisfy { key, value in
                (version.labels[key] ?? (key == "version" ? version.name.text : nil)) == value
            }
        }.map(\.name)
    }
}

extension Kind {
    package static let service = kinds[ServiceSpec.self]
}
