import Documents
import EnvoyConfig
import Foundation
import MeshFixtures

/// A part of what a case's clients are served, and the golden that it stands in.
struct GoldenView {
    /// The golden's file, without its extension.
    var name: String
    var layer: LayerID
}

extension Golden {
    /// The views that are looked at: those that `views.json` beside the mesh says, by default what leaves sidecars of namespace shop.
    ///
    /// ```json
    /// { "outbound": { "outbound": "shop" }, "grpc": { "proxyless": "shop" }, "sidecar": { "sidecar": 15080 },
    ///   "workload": { "workload": { "namespace": "shop", "service": "web", "proxy": "pod-1", "httpProxyPort": 15080 } } }
    /// ```
    func views() throws -> [GoldenView] {
        let document =
            hasInput("views.json") ? try JSONValue(json: input("views.json")) : ["outbound": ["outbound": "shop"]]
        return try (document.objectValue ?? [:]).sorted { $0.key < $1.key }.map { name, view in
            guard let view = view.objectValue?.first else { throw MeshDocument.Unreadable("view \(name) says nothing") }
            return GoldenView(name: name, layer: try LayerID(view.key, view.value))
        }
    }
}

extension LayerID {
    /// - Parameter kind: which of the cases.
    fileprivate init(_ kind: String, _ value: JSONValue) throws {
        switch kind {
        case "outbound": self = .outbound(namespace: try MeshDocument.name(value.stringValue))
        case "proxyless": self = .proxyless(namespace: try MeshDocument.name(value.stringValue))
        case "sidecar": self = .sidecar(httpProxyPort: Int(value.integerValue ?? 0))
        case "workload": self = .workload(try Workload(value))
        default: throw MeshDocument.Unreadable("there is no view \(kind)")
        }
    }
}

extension LayerID.Workload {
    fileprivate init(_ document: JSONValue) throws {
        self.init(
            namespace: try MeshDocument.name(document["namespace"]?.stringValue),
            service: try document["service"].map { try MeshDocument.name($0.stringValue) },
            proxy: try MeshDocument.name(document["proxy"]?.stringValue),
            httpProxyPort: Int(document["httpProxyPort"]?.integerValue ?? 0))
    }
}
