internal import Documents
internal import MeshCore
internal import MeshModel

extension Host {
    /// How answers name it: `namespace` and `service`.
    var members: [String: JSONValue] {
        switch self {
        case .service(let name): ["namespace": .string(name.namespace.text), "service": .string(name.name.text)]
        }
    }
}
