package import MeshCore

/// A kind's entry in the table of kinds: everything that REST paths, operations, permissions, messages and the store
/// need to know of the kind.
package struct KindInfo: Sendable {
    /// The scope in which the name of an object is unique.
    package enum Scope: Hashable, Sendable {
        /// Beside all tenants: a tenant.
        case platform
        case tenant
        /// A namespace of a mesh.
        case namespace
        /// An object of the named kind, whose scope is a namespace: a service.
        case child(of: String)
    }

    /// The `kind` of documents and of rows, for example `VirtualService`. It never changes.
    package let name: String
    /// The path segment of the collection, for example `virtualServices`; permissions and operations are named after it.
    package let plural: String
    /// The path parameter that names an object, for example `virtualService`.
    package let parameter: String
    /// The noun for an object in messages, for example `virtual service`.
    package let noun: String
    /// And several, for example `virtual services`.
    package let nouns: String
    package let scope: Scope
    package let roles: KindRoles
    /// The operations on an object besides reading and writing it.
    package let methods: [CustomMethod]
    /// Whether somebody waits for proxies to have a change of an object.
    package let isUrgent: Bool

    /// - Parameters:
    ///   - name: in upper camel case; the other names are derived from it.
    ///   - parameter: where an acronym begins the name.
    ///   - plural: where the name has no regular one.
    ///   - isUrgent: of what comes and goes by itself, or is waited for.
    package init(
        _ name: String, parameter: String? = nil, plural: String? = nil, in scope: Scope, roles: KindRoles,
        methods: [CustomMethod] = [], isUrgent: Bool = false
    ) {
        self.name = name
        let parameter = parameter ?? name.prefix(1).lowercased() + name.dropFirst()
        self.parameter = parameter
        self.plural = plural ?? parameter + "s"
        noun = Self.words(parameter)
        nouns = Self.words(self.plural)
        self.scope = scope
        self.roles = roles
        self.methods = methods
        self.isUrgent = isUrgent
    }

    private static func words(_ name: String) -> String {
        name.reduce(into: "") { words, character in
            words += character.isUppercase ? " " + character.lowercased() : String(character)
        }
    }

    /// ``plural`` as operations have it, for example `VirtualServices` in `listVirtualServices`.
    package var pluralName: String { plural.prefix(1).uppercased() + plural.dropFirst() }

    /// Whether objects belong to a mesh, so that writing one changes what proxies are sent.
    package var isInMesh: Bool {
        switch scope {
        case .platform, .tenant: false
        case .namespace, .child: true
        }
    }
}

/// The roles that may read and write objects of a kind.
package struct KindRoles: Sendable {
    package let read: Set<Role>
    package let create: Set<Role>
    package let update: Set<Role>
    package let delete: Set<Role>
    /// Whether creating, updating and deleting are three permissions; otherwise there is one, called `write`.
    package let areSeparate: Bool

    package init(read: Set<Role> = .everybody, write: Set<Role>) {
        self.read = read
        (create, update, delete) = (write, write, write)
        areSeparate = false
    }

    package init(read: Set<Role> = .everybody, create: Set<Role>, update: Set<Role>, delete: Set<Role>) {
        self.read = read
        self.create = create
        self.update = update
        self.delete = delete
        areSeparate = true
    }
}

/// A method of an object besides those of HTTP (Google AIP-136), as far as permissions go.
package struct CustomMethod: Sendable {
    /// The last part of the permission, for example `start` of `releases.start`.
    package let name: String
    package let roles: Set<Role>

    package init(_ name: String, _ roles: Set<Role>) {
        self.name = name
        self.roles = roles
    }
}
