internal import MeshControl
internal import MeshCore

/// Where the objects of each kind are in the tree, and what they are called in `operationId`s.
enum ObjectPaths {
    static let tenant = "/v1/tenants/{tenant}"
    static let mesh = tenant + "/meshes/{mesh}"
    static let namespace = mesh + "/namespaces/{namespace}"

    /// The template of a kind's collection.
    static func collection(_ kind: Kind) -> String {
        switch kind.scope {
        case .platform: "/v1/\(kind.collection)"
        case .tenant: "\(tenant)/\(kind.collection)"
        case .namespace: "\(namespace)/\(kind.collection)"
        case .service: "\(namespace)/services/{service}/\(kind.collection)"
        }
    }

    /// The template of one object.
    static func item(_ kind: Kind) -> String { "\(collection(kind))/{\(parameter(kind))}" }

    /// The path parameter that names an object of the kind.
    static func parameter(_ kind: Kind) -> String {
        switch kind {
        case .tenant: "tenant"
        case .cluster: "cluster"
        case .service: "service"
        case .endpoint: "endpoint"
        case .virtualService: "virtualService"
        case .destinationRule: "destinationRule"
        case .release: "release"
        }
    }

    /// The path of an object, as in `Location`.
    static func path(_ key: ObjectKey) -> String {
        var values = ["tenant": key.tenant.text]
        values["mesh"] = key.mesh?.text
        values["namespace"] = key.namespace?.text
        values["service"] = key.service?.text
        values[parameter(key.kind)] = key.name.text
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
        case .service: ObjectScope(try mesh(), namespace: try name("namespace"), service: try name("service"))
        }
    }

    /// The key of the object that the path names.
    func key(_ kind: Kind) throws -> ObjectKey {
        guard let key = try scope(kind).key(kind, try name(ObjectPaths.parameter(kind))) else {
            throw ControlError.fault("the path of \(kind) lacks a part of its scope")
        }
        return key
    }
}
