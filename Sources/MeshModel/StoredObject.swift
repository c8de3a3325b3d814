package import Documents
package import MeshCore

/// The labels and annotations that clients give an object besides its `spec`.
package struct ObjectLabels: Hashable, Sendable {
    package var labels: [String: String]
    package var annotations: [String: String]

    package init(labels: [String: String] = [:], annotations: [String: String] = [:]) {
        self.labels = labels
        self.annotations = annotations
    }
}

/// An object as it is stored: identity, versions, the client's `spec` and the server's `status`.
package struct StoredObject: Hashable, Sendable {
    package var key: ObjectKey
    /// Set at creation and never again; tells a re-created object from the old one.
    package var uid: String
    /// Grows by one with every change of `spec`; begins at 1.
    package var generation: Int64
    /// The mesh's revision (outside of meshes: the tenant's) at which anything of this object was last written, `status`
    /// included.
    package var revision: Revision
    package var metadata: ObjectLabels
    package var createTime: Timestamp
    package var updateTime: Timestamp
    package var spec: JSONValue
    package var status: JSONValue
    /// The conditions of the object; `nil` if they were not asked for, or if there are none and none changed in the
    /// last day.
    package var conditions: [ObjectCondition]?

    package init(
        key: ObjectKey, uid: String, generation: Int64, revision: Revision, metadata: ObjectLabels,
        createTime: Timestamp, updateTime: Timestamp, spec: JSONValue, status: JSONValue
    ) {
        self.key = key
        self.uid = uid
        self.generation = generation
        self.revision = revision
        self.metadata = metadata
        self.createTime = createTime
        self.updateTime = updateTime
        self.spec = spec
        self.status = status
    }
}

extension JSONPointer {
    /// The place of a document's `spec`.
    package static let spec = JSONPointer(["spec"])
}
