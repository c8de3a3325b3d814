package import MeshCore

/// Which objects a list is of, and which page of it.
package struct ListQuery: Sendable {
    package var kind: Kind
    /// For tenants themselves: `nil`, to list all of them.
    package var tenant: Name?
    package var mesh: Name?
    package var namespace: Name?
    package var service: Name?
    /// All of these labels must be there with these values.
    package var labels: [(name: String, value: String)]
    /// `1...1000`.
    package var pageSize: Int
    package var after: PageCursor?

    package init(
        kind: Kind, tenant: Name?, mesh: Name? = nil, namespace: Name? = nil, service: Name? = nil,
        labels: [(name: String, value: String)] = [], pageSize: Int = 100, after: PageCursor? = nil
    ) {
        self.kind = kind
        self.tenant = tenant
        self.mesh = mesh
        self.namespace = namespace
        self.service = service
        self.labels = labels
        self.pageSize = pageSize
        self.after = after
    }
}

/// The place behind the last object of a page. Lists are in the order of tenant, mesh, namespace, service, name.
package struct PageCursor: Hashable, Sendable {
    /// The five parts in that order; empty where the kind has none.
    package let parts: [String]

    /// - Returns: `nil` unless there are five parts, each a name or empty.
    package init?(parts: [String]) {
        guard parts.count == 5, parts.allSatisfy({ $0.isEmpty || Name($0) != nil }) else { return nil }
        self.parts = parts
    }

    init(_ key: ObjectKey) {
        parts = [
            key.tenant.text, key.mesh?.text ?? "", key.namespace?.text ?? "", key.service?.text ?? "", key.name.text,
        ]
    }
}
