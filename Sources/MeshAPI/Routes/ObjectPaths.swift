internal import MeshControl
internal import MeshCore
internal import MeshModel

/// The places of each kind's objects in the tree.
enum ObjectPaths {
    static let tenant = "/v1/tenants/{tenant}"
    static let mesh = tenant + "/meshes/{mesh}"
    static let namespace = mesh + "/namespaces/{namespace}"

    /// The template of a kind's collection.
    static func collection(_ kind: Kind) -> String {
        switch kind.scope {
        case .platform: "/v1/\(kind.info.plural)"
        case .tenant: "\(tenant)/\(kind.info.plural)"
        case .namespace: "\(namespace)/\(kind.info.plural)"
        case .child(let parent): "\(kinds.kind(named: parent).map(item) ?? "")/\(kind.info.plural)"
        }
    }

    /// The template of one object.
    static func item(_ kind: Kind) -> String { "\(collection(kind))/{\(kind.info.parameter)}" }

    /// The path of an object, as in `Location`.
    static func path(_ key: ObjectKey) -> String {
        var values = ["tenant": key.tenant.text]
        values["mesh"] = key.mesh?.text
        values["namespace"] = key.namespace?.text
        values["service"] = key.service?.text
        values[key.kind.info.parameter] = key.name.text
        return item(key.kind).split(separator: "/").map { segment in
            guard segment.first == "{" else { return "/" + segment }
            return "/" + (values[String(segment.dropFirst().dropLast())] ?? "")
        }.joined()
    }
}

extension APIRequest {
    /// The scope of a kind's collection, from the path parameters.
    func scope(_ kind: Kind) throws -> ObjectScope {
        switch kind.scope {
        case .platform: ObjectScope()
        case .tenant: ObjectScope(tenant: try name("tenant"))
        case .namespace: ObjectScope(try mesh(), namespace: try name("namespace"))
        case .child: ObjectScope(try mesh(), namespace: try name("namespace"), service: try name("service"))
        }
    }

    /// The key of the object that the path names.
    func key(_ kind: Kind) throws -> ObjectKey {
        guard let key = try scope(kind).key(kind, try name(kind.info.parameter)) else {
            throw ControlError.fault("the path of \(kind) lacks a part of its scope")
        }
        return key
    }
}
