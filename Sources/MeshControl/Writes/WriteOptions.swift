package import Documents
package import MeshModel
package import MeshStore

/// How a write is meant.
package struct WriteOptions: Sendable {
    package var precondition: Precondition
    /// Do everything but the write: the same answer, nothing changed.
    package var validateOnly: Bool
    /// Fields that nobody knows become warnings instead of violations.
    package var allowsUnknownFields: Bool
    /// Replay the answer of an earlier call with the same key instead of doing it again.
    package var idempotency: IdempotentCall?
    /// For the audit trail.
    package var requestId: String

    package init(
        precondition: Precondition = .none, validateOnly: Bool = false, allowsUnknownFields: Bool = false,
        idempotency: IdempotentCall? = nil, requestId: String
    ) {
        self.precondition = precondition
        self.validateOnly = validateOnly
        self.allowsUnknownFields = allowsUnknownFields
        self.idempotency = idempotency
        self.requestId = requestId
    }

    /// Whether nothing happens between the write and its commit: it is not taken back, and no answer is kept with it.
    var isPlain: Bool { !validateOnly && idempotency == nil }
}

/// A call that is done at most once, however often it is sent.
package struct IdempotentCall: Hashable, Sendable {
    /// The client's `Idempotency-Key`; unique per caller.
    package var key: String
    /// SHA-256 of what the call asks for.
    package var requestHash: [UInt8]

    package init(key: String, requestHash: [UInt8]) {
        self.key = key
        self.requestHash = requestHash
    }
}

/// The result of a call: done now, or done before and answered as then.
package enum Outcome<Value: Sendable>: Sendable {
    case done(Value)
    case replayed(StoredAnswer)
}

/// An object after a write, and whether the write made it.
package struct WrittenObject: Sendable {
    package var object: StoredObject
    package var created: Bool
    /// Parts of the write that were accepted but deserve a word.
    package var warnings: [Violation]
    /// The long-running operation that the write began, if it did.
    package var operation: StoredOperation?
}
