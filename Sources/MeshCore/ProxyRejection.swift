package import Documents

/// Something that a proxy refuses, traced back to the object that it was made of.
package struct ProxyRejection: Hashable, Sendable {
    /// An object of the proxy's mesh.
    package struct Object: Hashable, Sendable {
        /// The name of its kind.
        package var kind: String
        package var name: NamespacedName

        package init(kind: String, name: NamespacedName) {
            self.kind = kind
            self.name = name
        }

        package var json: JSONValue {
            [
                "kind": .string(kind), "namespace": .string(name.namespace.text),
                "name": .string(name.name.text),
            ]
        }
    }

    /// The name of the refused resource; `nil` if the proxy did not say which one of several it meant.
    package var resource: String?
    /// `nil` if it cannot be told from what the proxy said.
    package var object: Object?
    /// The place in the object, as far as that is known; the root if it is not. `nil` without an object.
    package var pointer: String?
    /// The proxy's own words.
    package var message: String
    /// When the replica that the proxy is connected to first heard of it.
    package var since: Timestamp

    package init(resource: String?, object: Object?, pointer: String?, message: String, since: Timestamp) {
        self.resource = resource
        self.object = object
        self.pointer = pointer
        self.message = message
        self.since = since
    }

    /// Reads what ``json`` wrote.
    ///
    /// - Returns: `nil` for anything else.
    package init?(_ document: JSONValue) {
        guard let message = document["message"]?.stringValue,
            let since = document["since"]?.stringValue.flatMap(Timestamp.init(text:))
        else { return nil }
        resource = document["resource"]?.stringValue
        object = document["object"].flatMap(Object.init)
        pointer = document["pointer"]?.stringValue
        self.message = message
        self.since = since
    }

    package var json: JSONValue {
        .fields([
            "resource": resource.map(JSONValue.string), "object": object?.json,
            "pointer": pointer.map(JSONValue.string), "message": .string(message), "since": .string(since.text),
        ])
    }

    /// For people: `VirtualService shop/reviews at /spec/http/0`; `nil` if the object is not known.
    package var place: String? {
        guard let object else { return nil }
        let pointer = pointer ?? ""
        return "\(object.kind) \(object.name)" + (pointer.isEmpty ? "" : " at \(pointer)")
    }
}

extension ProxyRejection.Object {
    fileprivate init?(_ document: JSONValue) {
        guard let kind = document["kind"]?.stringValue,
            let namespace = document["namespace"]?.stringValue.flatMap(Name.init),
            let name = document["name"]?.stringValue.flatMap(Name.init)
        else { return nil }
        self.init(kind: kind, name: NamespacedName(namespace: namespace, name: name))
    }
}
