internal import MeshControl
internal import MeshModel

extension JSONPrinter {
    /// An object in the API's envelope: `apiVersion`, `kind`, `metadata`, `spec`, `status`.
    mutating func object(_ object: StoredObject, warnings: [Violation] = []) {
        self.object { printer in
            printer.member("apiVersion", "sluice/v1")
            printer.member("kind", object.key.kind.rawValue)
            printer.name("metadata")
            printer.metadata(object)
            printer.member("spec", object.spec)
            printer.name("status")
            printer.status(object)
            if !warnings.isEmpty {
                printer.name("warnings")
                printer.array(warnings) { $0.violation($1) }
            }
        }
    }

    /// - Parameter name: what the document is called, if it is not the object itself.
    mutating func metadata(_ object: StoredObject, name: String? = nil) {
        let key = object.key
        self.object { metadata in
            metadata.member("name", name ?? key.name.text)
            if key.kind != .tenant { metadata.member("tenant", key.tenant.text) }
            if let mesh = key.mesh { metadata.member("mesh", mesh.text) }
            if let namespace = key.namespace { metadata.member("namespace", namespace.text) }
            if let service = key.service { metadata.member("service", service.text) }
            metadata.member("uid", object.uid)
            metadata.member("labels", .object(object.metadata.labels.mapValues(JSONValue.string)))
            metadata.member("annotations", .object(object.metadata.annotations.mapValues(JSONValue.string)))
            metadata.member("generation", .integer(object.generation))
            metadata.member("revision", .integer(object.revision))
            metadata.member("createTime", object.createTime.text)
            metadata.member("updateTime", object.updateTime.text)
        }
    }

    /// What is stored, and what follows from being stored: the object was accepted as of its generation.
    private mutating func status(_ object: StoredObject) {
        var members = object.status.objectValue ?? [:]
        members["observedGeneration"] = .integer(object.generation)
        if object.key.kind == .cluster { members["phase"] = "Ready" }
        if members["phase"] == nil { members["phase"] = "Accepted" }
        if members["conditions"] == nil {
            members["conditions"] = [
                [
                    "type": "Accepted", "status": "True", "reason": "Valid", "message": "",
                    "lastTransitionTime": .string(object.updateTime.text),
                ]
            ]
        }
        value(.object(members))
    }
}
