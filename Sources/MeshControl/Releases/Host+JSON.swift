internal import Documents
internal import MeshCore
internal import MeshModel

extension Host {
    /// How answers name it: `namespace` and `service`, or `host` for one that is no service's.
    var members: [String: JSONValue] {
        switch self {
        case .service(let name): ["namespace": .string(name.namespace.text), "service": .string(name.name.text)]
        case .external(let text, let namespace): ["namespace": .string(namespace.text), "host": .string(text)]
        }
    }
}
