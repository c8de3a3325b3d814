internal import Documents
internal import MeshCore
internal import MeshModel

/// An object as a client sends it: `{"apiVersion", "kind", "metadata", "spec"}`.
///
/// What a server's answer has besides (`status`, `metadata.uid`, …) is accepted and left aside, so that an answer can be
/// edited and sent back.
struct ObjectDraft {
    static let apiVersion = "sluice/v1"

    /// `metadata.name`, if it is given.
    var name: Name?
    var metadata = ObjectLabels()
    /// An empty object if it is left out.
    var spec: JSONValue = .object([:])

    /// Reads the envelope and leaves `spec` for its kind.
    ///
    /// - Parameters:
    ///   - scope: where the object stands by its URL; what the body says of that must agree.
    ///   - name: the name in the URL; `nil` for a POST on the collection, where the body must have it.
    init(_ document: JSONValue, kind: Kind, scope: ObjectScope, name: Name?, log: ViolationLog) {
        var fields = FieldReader(document, at: .root, log: log)
        Self.expect("apiVersion", Self.apiVersion, &fields)
        Self.expect("kind", kind.name, &fields)
        if var nested = fields.object("metadata") {
            readMetadata(&nested, scope: scope, name: name)
        } else if name == nil {
            log.report(JSONPointer(["metadata", "name"]), .required, "is required")
        }
        if let spec = fields.value("spec") { self.spec = spec }
        _ = fields.value("status")
        fields.finish()
    }

    private mutating func readMetadata(_ fields: inout FieldReader, scope: ObjectScope, name expected: Name?) {
        name = fields.read("name", .name, required: expected == nil)
        if let name, let expected, name != expected {
            fields.report(
                "name", .conflict, "must be \(expected), as in the URL, or be left out")
        }
        let places = [
            ("tenant", scope.tenant), ("mesh", scope.mesh), ("namespace", scope.namespace), ("service", scope.service),
        ]
        for (field, place) in places {
            if let place { Self.expect(field, place.text, &fields) }
        }
        metadata.labels = Self.map("labels", &fields, maxLength: 256)
        metadata.annotations = Self.map("annotations", &fields, maxLength: 16 << 10)
        checkSize(at: fields.pointer, fields.log)
        for field in ["uid", "generation", "revision", "createTime", "updateTime"] { _ = fields.value(field) }
        fields.finish()
    }

    /// Labels and annotations are read with the object by all who list or watch it.
    private func checkSize(at pointer: JSONPointer, _ log: ViolationLog) {
        let size = [metadata.labels, metadata.annotations].joined().reduce(0) {
            $0 + $1.key.utf8.count + $1.value.utf8.count
        }
        let limit = Limits.metadataBytes
        guard !limit.allows(size) else { return }
        log.report(pointer, .tooLong, "labels and annotations come to \(size) bytes; allowed are \(limit.rule)")
    }

    private static func expect(_ field: String, _ expected: String, _ fields: inout FieldReader) {
        guard let text = fields.read(field, .string()), text != expected else { return }
        fields.report(
            field, .invalidValue, "must be \(expected) or be left out", choices: [expected])
    }

    private static func map(_ field: String, _ fields: inout FieldReader, maxLength: Int) -> [String: String] {
        let map = fields.read(field, .strings) ?? [:]
        let pointer = fields.pointer.appending(field)
        if map.count > 64 { fields.log.report(pointer, .tooMany, "must have at most 64 members") }
        for (key, value) in map.sorted(by: { $0.key < $1.key }) {
            if !(1...256).contains(key.utf8.count) {
                fields.log.report(pointer, .tooLong, "names must be 1 to 256 bytes long")
            }
            if value.utf8.count > maxLength {
                fields.log.report(pointer.appending(key), .tooLong, "must be at most \(maxLength) bytes long")
            }
        }
        return map
    }
}

extension ViolationLog {
    /// The violations for which a write is refused.
    func errors(_ options: WriteOptions) -> [Violation] {
        options.allowsUnknownFields ? violations : violationsAndUnknownFields
    }

    /// The warnings in the answer to a write that happens.
    func warnings(_ options: WriteOptions) -> [Violation] {
        options.allowsUnknownFields ? warningsAndUnknownFields : warnings
    }

    /// - Throws: ``ControlError/invalid(_:)`` with everything that was reported.
    func check(_ options: WriteOptions) throws {
        let errors = errors(options)
        guard errors.isEmpty else { throw ControlError.invalid(errors) }
    }
}
