import Documents
import GrayRelease
import MeshCore
import MeshFixtures
import MeshModel
import Testing

/// What is wrong with a document: `pointer code` of each mistake.
func mistakes<Spec: Document>(in document: JSONValue, _: Spec.Type) -> [String] {
    let log = ViolationLog()
    _ = Spec.read(document, at: .root, log: log)
    return log.violationsAndUnknownFields.map { "\($0.pointer) \($0.code)" }
}

extension JSONValue {
    /// With some members in place of its own; `null` takes one away.
    func merged(_ changes: JSONValue) -> JSONValue {
        var members = objectValue ?? [:]
        for (name, value) in changes.objectValue ?? [:] {
            if value == .null { members.removeValue(forKey: name) } else { members[name] = value }
        }
        return .object(members)
    }
}
