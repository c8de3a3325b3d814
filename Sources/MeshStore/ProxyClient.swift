package import Documents
package import MeshCore

/// The part of a proxy that decides its configuration, besides its mesh and its name.
package struct ProxyClient: Hashable, Sendable {
    /// The kind of program that the proxy is.
    package enum Program: Hashable, Sendable {
        /// An Envoy, with the port on loopback that it serves outbound traffic on; `1...65_535`.
        case envoy(httpProxyPort: Int)
        /// gRPC's own xDS client.
        case grpc
    }

    package var program: Program
    /// The service that it stands before, or that calls through it.
    package var service: Name

    package init(_ program: Program, service: Name) {
        self.program = program
        self.service = service
    }
}

/// Its form in the database and in the API.
extension ProxyClient {
    /// Reads what ``json`` wrote.
    ///
    /// - Returns: `nil` for anything else; for `{}` too, which stands in rows that were written before it was known.
    package init?(_ document: JSONValue) {
        guard let service = document["service"]?.stringValue.flatMap(Name.init) else { return nil }
        switch document["kind"] {
        case "envoy":
            guard let port = document["httpProxyPort"]?.integerValue, (1...65_535).contains(port) else { return nil }
            self.init(.envoy(httpProxyPort: Int(port)), service: service)
        case "grpc": self.init(.grpc, service: service)
        default: return nil
        }
    }

    /// `{"kind", "service", "httpProxyPort"}`; gRPC's has no port.
    package var json: JSONValue {
        switch program {
        case .envoy(let port):
            ["kind": "envoy", "service": .string(service.text), "httpProxyPort": .integer(Int64(port))]
        case .grpc: ["kind": "grpc", "service": .string(service.text)]
        }
    }
}
