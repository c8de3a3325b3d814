internal import Documents
internal import MeshCore
internal import MeshIdentity
internal import MeshModel
internal import MeshStore

/// The demands of a kind of objects on a write, besides being well-formed.
protocol ObjectWriteRules: Sendable {
    /// Whether a write is checked against its whole mesh (``PlannedWrite/meshState(in:)``).
    var needsMesh: Bool { get }

    /// Checks the rights that a write needs where its references lead, and then locks what others must not decide about meanwhile:
    /// before what the write refers to is held, as everybody does.
    ///
    /// - Throws: ``ControlError``.
    func prepare(_ write: PlannedWrite, in transaction: StoreTransaction) async throws

    /// Checks the draft against what is stored and writes it.
    func carryOut(_ write: PlannedWrite, in transaction: StoreTransaction) async throws -> WrittenObject

    /// Checks that nothing keeps an object from being deleted. References to it and objects in it are checked
    /// elsewhere.
    ///
    /// - Throws: ``ControlError/conflict(_:)`` naming what still needs the object.
    func checkDeletion(of object: StoredObject, in transaction: StoreTransaction) async throws
}

extension ObjectWriteRules {
    var needsMesh: Bool { false }

    func prepare(_ write: PlannedWrite, in transaction: StoreTransaction) async throws {
        try write.checkRights()
    }

    /// The document is read and written.
    func carryOut(_ write: PlannedWrite, in transaction: StoreTransaction) async throws -> WrittenObject {
        try await carryOut(write, as: write.key.kind.specType, in: transaction)
    }

    private func carryOut<Spec: ResourceKind>(
        _ write: PlannedWrite, as type: Spec.Type, in transaction: StoreTransaction
    ) async throws -> WrittenObject {
        try await write.put(write.spec(as: type), in: transaction)
    }

    func checkDeletion(of object: StoredObject, in transaction: StoreTransaction) async throws {}
}

/// The rules of a kind that has no others.
struct PlainRules: ObjectWriteRules {}

/// A write whose preconditions hold: what is there, and what a client wants there.
struct PlannedWrite {
    let key: ObjectKey
    let old: StoredObject?
    let draft: ObjectDraft
    let log: ViolationLog
    let options: WriteOptions
    let caller: Caller
    let control: ControlPlane
    /// The mesh of the object as this replica knew it before the transaction; `nil` for objects outside of meshes.
    let base: MeshState?
    /// The draft's `spec`, decoded.
    let typedSpec: any ResourceKind
    /// The draft's references.
    var references: [Reference]
    /// The targets of ``references`` and the object's parent, by key, as far as they exist. They stay until the write
    /// is committed. Empty until the rights were checked.
    var held: [ObjectKey: StoredObject] = [:]

    /// The draft's `spec` as a value of its kind.
    func spec<Spec: Document>(as type: Spec.Type = Spec.self) throws -> Spec {
        guard let spec = typedSpec as? Spec else { throw ControlError.fault("the spec of \(key) is no \(type)") }
        return spec
    }

    /// The stored `spec` as a value of its kind; `nil` if there is none, or it cannot be read.
    func oldSpec<Spec: Document>(as type: Spec.Type = Spec.self) -> Spec? {
        old.flatMap { Spec.read($0.spec, at: .root, log: ViolationLog(ofStored: true)) }
    }

    /// Writes the object, after a last look at what was reported since the spec was read.
    ///
    /// - Parameters:
    ///   - status: `nil` keeps the status.
    ///   - conditions: what compiling says about the object; `nil`: nobody asked.
    ///   - sealed: what is written of it beside its documents; `nil`: nothing.
    func put<Spec: Document>(
        _ spec: Spec, status: JSONValue? = nil, found conditions: [ObjectCondition]? = nil, sealed: SealedChange? = nil,
        in transaction: StoreTransaction
    ) async throws -> WrittenObject {
        try await checkTargets(in: transaction)
        try log.check(options)
        var object = try await transaction.put(
            key, metadata: draft.metadata, spec: document(of: spec), status: status,
            found: conditions.map { ($0, ConditionKeeper.source) }, sealed: sealed, isNew: old == nil,
            isLast: options.isPlain)
        object.conditions = conditions
        return WrittenObject(object: object, created: old == nil, warnings: log.warnings(options), operation: nil)
    }

    /// The document to store for a spec: the stored one if that means the same. An earlier version may have left out
    /// what this one writes down, such as the default of a field that is new; to write the same again is no new
    /// generation.
    private func document<Spec: Document>(of spec: Spec) -> JSONValue {
        let document = spec.json
        guard let old, old.spec != document, oldSpec(as: Spec.self) == spec else { return document }
        return old.spec
    }

    /// The mesh that the object stands in.
    func mesh() throws -> MeshKey {
        guard let mesh = key.meshKey else { throw ControlError.fault("\(key) stands in no mesh") }
        return mesh
    }
}
