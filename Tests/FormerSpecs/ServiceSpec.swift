import Documents
import MeshCore

/// A service of the mesh: what callers name, with the ports it offers and the versions it runs in.
package struct ServiceSpec: Spec {

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

