package import Documents

/// A number that grows with every write in a mesh (for objects outside of a mesh: in their tenant). Starts at 1.
package typealias Revision = Int64

/// An instant as microseconds since 1970-01-01T00:00:00Z, always by PostgreSQL's clock.
package struct Timestamp: Hashable, Comparable, Sendable {
    package var microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    package static func < (a: Self, b: Self) -> Bool { a.microseconds < b.microseconds }

    package static func + (a: Self, b: Duration) -> Timestamp {
        Timestamp(microseconds: a.microseconds + b.microseconds)
    }

    /// The time from `b` to `a`; negative if `a` is earlier.
    package static func - (a: Self, b: Self) -> Duration { .microseconds(a.microseconds - b.microseconds) }
}

extension Duration {
    /// Whole microseconds, rounded down.
    package var microseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}

/// What clients may say about an object besides its `spec`.
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
    /// What was found out about it, where that was asked for; `nil` also if nothing was found out in the last day.
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

/// The typed form of an object's `spec`: a noun of the model that can be read from a document and written back.
package protocol Spec: Hashable, Sendable {
    static var kind: Kind { get }

    /// Reads the noun and reports all violations to the reader's log; calls ``FieldReader/finish()`` on every reader it
    /// makes.
    ///
    /// - Returns: `nil` if anything was reported that leaves no meaningful value. A value may be returned even though
    ///   violations were reported; whoever reads must look at the log.
    init?(reading fields: inout FieldReader)

    /// The canonical document: what is stored and answered.
    var json: JSONValue { get }
}

extension Spec {
    /// Reads a stored or received `spec`.
    ///
    /// - Parameter pointer: where the document stands in the request.
    /// - Returns: `nil` if there are violations.
    package static func read(_ document: JSONValue, at pointer: JSONPointer, log: ViolationLog) -> Self? {
        var fields = FieldReader(document, at: pointer, log: log)
        let before = log.count
        let spec = Self(reading: &fields)
        return log.count == before ? spec : nil
    }
}
