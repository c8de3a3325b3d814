import MeshCore
import Documents

extension FieldReader {
    /// A name as of ``Name``: a DNS label.
    package mutating func name(_ field: String, required: Bool = false) -> Name? {
        guard let text = string(field, required: required) else { return nil }
        guard let name = Name(text) else {
            log.report(pointer.appending(field), .invalidFormat, Name.rule)
            return nil
        }
        return name
    }
}
