internal import Crypto
internal import Documents
internal import HTTPTypes
internal import MeshControl
internal import MeshCore
internal import MeshIdentity

/// One request on its way through a handler: what was captured from its path, its query, its header and its body.
struct APIRequest {
    let head: HTTPRequest
    /// The path as it was sent, without query.
    let path: Substring
    let parameters: RouteTable.Parameters
    let query: QueryParameters
    /// The body's bytes; empty without body.
    let bytes: [UInt8]
    /// The body's value; an empty object without body.
    let body: JSONValue
    let caller: Caller
    let id: String

    /// The text of a path parameter.
    func text(_ parameter: String) -> String {
        parameters.first { $0.name == parameter }?.value ?? ""
    }

    /// A path parameter that names an object.
    ///
    /// - Throws: ``Problem``: 404 when the text cannot be a name, because then nothing has it; for PUT, which would
    ///   create it, 400 with the rule.
    func name(_ parameter: String) throws -> Name {
        let text = text(parameter)
        if let name = Name(text) { return name }
        guard head.method == .put else {
            throw Problem(.notFound, "notFound", "there is nothing at this path: a name \(Name.rule)")
        }
        throw Problem.invalid([Violation(JSONPointer(["path", parameter]), .invalidFormat, Name.rule)])
    }

    func mesh() throws -> MeshKey { MeshKey(tenant: try name("tenant"), mesh: try name("mesh")) }

    /// A namespaced object's name: path parameter `namespace` and the one given.
    func namespaced(_ parameter: String) throws -> NamespacedName {
        NamespacedName(namespace: try name("namespace"), name: try name(parameter))
    }

    func reader() -> FieldReader { FieldReader(body, at: .root, log: ViolationLog()) }

    /// How the write is meant, from header and query.
    ///
    /// - Throws: ``Problem`` when either is not understood.
    func writeOptions() throws -> WriteOptions {
        let options = WriteOptions(
            precondition: try precondition(), validateOnly: query.flag("validateOnly"),
            allowsUnknownFields: query.choice("fieldValidation", ["strict", "warn"]) == "warn",
            idempotency: try idempotencyKey().map { IdempotentCall(key: $0, requestHash: requestHash()) }, requestId: id
        )
        try query.check()
        return options
    }
}

extension APIRequest {
    /// `If-Match` and `If-None-Match` of a write (RFC 9110 section 13).
    func precondition() throws -> Precondition {
        if let field = head.headerFields[.ifNoneMatch] {
            guard field.trimmed == "*", head.headerFields[.ifMatch] == nil else {
                throw Problem(
                    .badRequest, "invalidHeader",
                    "a write understands If-None-Match: * (create only), and no If-Match beside it")
            }
            return .absent
        }
        guard let field = head.headerFields[.ifMatch] else { return .none }
        if field.trimmed == "*" { return .present }
        // A weak or foreign tag never matches strongly, so it is left out rather than refused.
        return .oneOf(Self.tags(field))
    }

    /// Whether the client already has this version (`If-None-Match` of a read): then the answer is 304.
    func has(_ version: ObjectVersion) -> Bool {
        guard let field = head.headerFields[.ifNoneMatch] else { return false }
        return field.trimmed == "*" || Self.tags(field, isRead: true).contains(version)
    }

    /// - Parameter isRead: weak tags count, and the tag of an answer that told of refusals is another one's.
    private static func tags(_ field: String, isRead: Bool = false) -> [ObjectVersion] {
        field.split(separator: ",").prefix(64).compactMap { part in
            var tag = String(part).trimmed[...]
            if isRead, tag.hasPrefix("W/") { tag = tag.dropFirst(2) }
            guard tag.count >= 2, tag.first == "\"", tag.last == "\"" else { return nil }
            var text = tag.dropFirst().dropLast()
            if text.hasSuffix(ObjectVersion.refusedMark) {
                if isRead { return nil }
                text = text.dropLast(ObjectVersion.refusedMark.count)
            }
            return ObjectVersion(text: String(text))
        }
    }

    /// `Idempotency-Key` of a POST (draft-ietf-httpapi-idempotency-key-header): 1 to 255 visible ASCII characters.
    private func idempotencyKey() throws -> String? {
        guard head.method == .post, let field = head.headerFields[.idempotencyKey] else { return nil }
        let key = field.trimmed
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw Problem(.badRequest, "invalidHeader", "Idempotency-Key must be 1 to 255 visible ASCII characters")
        }
        return key
    }

    /// Tells whether a call with a known key asks for the same as the first one: method, path, query and body.
    private func requestHash() -> [UInt8] {
        var hash = SHA256()
        hash.update(data: Array("\(head.method.rawValue) \(head.path ?? "")\n".utf8))
        hash.update(data: bytes)
        return Array(hash.finalize())
    }
}

extension String {
    /// Without spaces and tabs around it.
    var trimmed: String {
        var text = self[...]
        while let first = text.first, first == " " || first == "\t" { text = text.dropFirst() }
        while let last = text.last, last == " " || last == "\t" { text = text.dropLast() }
        return String(text)
    }
}

extension ObjectVersion {
    /// A strong validator (RFC 9110 section 8.8.3).
    var entityTag: String { "\"\(text)\"" }

    /// The tag of an answer that tells of proxies' refusals, which a later one may not. For writes it is as good as the other.
    var entityTagWhileRefused: String { "\"\(text)\(Self.refusedMark)\"" }

    static let refusedMark = "+refused"
}
