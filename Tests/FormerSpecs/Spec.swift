import MeshCore
import Documents

/// The typed form of an object's `spec`: a noun of the model that can be read from a document and written back.
package protocol Spec: Hashable, Sendable {
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
