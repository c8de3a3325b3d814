internal import Documents
internal import MeshCompiler
internal import MeshCore
package import MeshModel

extension Diagnostic {
    /// How a code is called in conditions: `UnknownReference`.
    var reason: String { code.rawValue.prefix(1).uppercased() + code.rawValue.dropFirst() }

    /// The condition of the object. A diagnostic of something not in force makes `Accepted` false; a notice is a
    /// condition of its own.
    var condition: ObjectCondition {
        let isNotice = severity == .notice
        return ObjectCondition(
            type: isNotice ? reason : ObjectCondition.accepted, isTrue: isNotice, reason: reason,
            pointer: pointer.description, message: String(detail.prefix(Self.maxMessage)), other: other?.reference)
    }

    /// Characters of a condition's message.
    private static let maxMessage = 1_024
}

extension Sequence<Diagnostic> {
    /// By object, each with no more than ``ObjectCondition/limit``, and those first that are not in force.
    var conditions: [ObjectKey: [ObjectCondition]] {
        Dictionary(grouping: self, by: \.object).mapValues { diagnostics in
            let ordered =
                diagnostics.filter { $0.severity == .notInForce } + diagnostics.filter { $0.severity == .notice }
            var seen: Set<ObjectCondition> = []
            let conditions = ordered.map(\.condition).filter { seen.insert($0).inserted }
            return Array(conditions.prefix(ObjectCondition.limit))
        }
    }
}

extension ObjectCondition {
    /// How many are kept of one object; the rest is told when those are mended, and by `:analyze`.
    package static let limit = 20
}
