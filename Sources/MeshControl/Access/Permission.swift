package import MeshCore
internal import MeshModel

/// Something that a caller may or may not do, and the roles that may.
package struct Permission: Hashable, Sendable {
    /// The name in refusals, for example `releases.promote`.
    package let name: String
    package let roles: Set<Role>

    fileprivate init(_ name: String, _ roles: Set<Role>) {
        self.name = name
        self.roles = roles
    }

    /// All there are: those of the table of kinds, and the others. Golden in the tests: a change is a change of who may do what.
    package static let all = kinds.all.flatMap(permissions(of:)) + others

    private static func permissions(of kind: Kind) -> [Permission] {
        let writing: [Permission] =
            kind.info.roles.areSeparate ? [create(kind), update(kind), delete(kind)] : [update(kind)]
        return [read(kind)] + writing + kind.info.methods.map { custom($0.name, of: kind) }
    }
}

/// Permissions of the table of kinds.
extension Permission {
    package static func read(_ kind: Kind) -> Permission { of(kind, "read", kind.info.roles.read) }
    package static func create(_ kind: Kind) -> Permission { writing("create", kind, kind.info.roles.create) }
    package static func update(_ kind: Kind) -> Permission { writing("update", kind, kind.info.roles.update) }
    package static func delete(_ kind: Kind) -> Permission { writing("delete", kind, kind.info.roles.delete) }

    /// The permission for a custom method. Nobody has it if the table has no such method.
    package static func custom(_ method: String, of kind: Kind) -> Permission {
        of(kind, method, kind.info.methods.first { $0.name == method }?.roles ?? [])
    }

    private static func writing(_ verb: String, _ kind: Kind, _ roles: Set<Role>) -> Permission {
        of(kind, kind.info.roles.areSeparate ? verb : "write", roles)
    }

    private static func of(_ kind: Kind, _ verb: String, _ roles: Set<Role>) -> Permission {
        Permission("\(kind.info.plural).\(verb)", roles)
    }
}

/// Permissions about what is no object of a kind.
extension Permission {
    package static let readProxies = Permission("proxies.read", .everybody)
    /// A bootstrap carries a token with which a proxy joins the mesh.
    package static let bootstrapProxies = Permission("proxies.bootstrap", .developers)
    /// Says that a proxy's workload ends, so that no release waits for it.
    package static let dismissProxies = Permission("proxies.goodbye", .developers)
    package static let readOperations = Permission("operations.read", .everybody)
    package static let readAPIKeys = Permission("apiKeys.read", [.tenantAdmin, .platformAdmin])
    package static let writeAPIKeys = Permission("apiKeys.write", [.tenantAdmin, .platformAdmin])

    fileprivate static let others = [
        readProxies, bootstrapProxies, dismissProxies, readOperations, readAPIKeys, writeAPIKeys,
    ]
}
