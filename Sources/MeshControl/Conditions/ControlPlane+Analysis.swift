package import Documents
internal import MeshCompiler
package import MeshCore
internal import MeshFeed
package import MeshIdentity
internal import MeshModel
internal import MeshStore

extension ControlPlane {
    /// The most findings that one answer has.
    private static let maxFindings = 1000

    /// Tells everything that has to be said about the objects of a mesh as it is now: found now, whatever conditions say.
    ///
    /// The whole mesh is compiled for it, by the threads that simulations have (``WorkDesk``).
    ///
    /// - Parameters:
    ///   - namespace: the only one whose objects are told of; `nil`: all, of which a caller that is narrowed to namespaces
    ///     may not ask.
    ///   - body: `{}`.
    /// - Returns: `{"revision", "items": [{"object", "severity", "reason", "pointer", "message", "other"}], "more"}`.
    package func analyze(
        _ mesh: MeshKey, namespace: Name?, _ body: JSONValue, by caller: Caller
    ) async throws -> JSONValue {
        try authorise(caller, .custom("analyze", of: .mesh), in: ObjectScope(mesh, namespace: namespace))
        let log = ViolationLog()
        FieldReader(body, at: .root, log: log).finish()
        let violations = log.violationsAndUnknownFields
        guard violations.isEmpty else { throw ControlError.invalid(violations) }
        let state = try await translatingErrors {
            guard let revision = try await store.meshRevision(mesh) else {
                throw ControlError.notFound("mesh \(mesh.mesh)")
            }
            return try await mirror.state(of: mesh, atLeast: revision)
        }
        let ordered = try await atDesk(for: mesh.tenant) { _ in
            let found = Compiler(state).findings.filter { namespace == nil || $0.object.namespace == namespace }
            return found.filter { $0.severity == .notInForce }.inOrder + found.filter { $0.severity == .notice }.inOrder
        }
        return .fields([
            "revision": .integer(state.revision),
            "items": .array(ordered.prefix(Self.maxFindings).map(\.finding)),
            "more": ordered.count > Self.maxFindings ? .integer(Int64(ordered.count - Self.maxFindings)) : nil,
        ])
    }
}

extension Diagnostic {
    fileprivate var finding: JSONValue {
        .fields([
            "object": object.reference, "severity": .string(severity.rawValue), "reason": .string(reason),
            "pointer": .string(pointer.description), "message": .string(detail), "other": other?.reference,
        ])
    }
}
