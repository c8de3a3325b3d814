package import Documents
package import MeshCore

/// A finding about an object when the mesh is compiled: something that the object asks for and that cannot be done, or
/// that does not mean what it seems to. The rest of the mesh is compiled all the same.
package struct Diagnostic: Hashable, Sendable {
    package enum Code: String, CaseIterable, Sendable {
        /// A host, version or port that does not exist.
        case unknownReference
        /// Another object has the same host, or another subset the same version.
        case conflict
        /// A rule behind one that takes every request.
        case unreachable
        /// Two endpoints, or two ports of a proxy, at one address.
        case duplicateAddress
        /// More than a mesh may have; the rest is left out.
        case tooMany
        /// A rule names a version that was retired, which means the stable one.
        case redirected
        /// A rule goes on sending requests to a version that was retired.
        case pinnedToRetired
        /// A destination that nobody answers at.
        case noReadyEndpoints
        /// Something that this server does not carry out.
        case unsupported
        /// A host that another VirtualService decides about, because this one lets it.
        case delegated

        /// The severity of the code, unless the diagnostic has another one.
        package var severity: Severity {
            switch self {
            case .unknownReference, .conflict, .unreachable, .duplicateAddress, .tooMany, .unsupported:
                .notInForce
            case .redirected, .pinnedToRetired, .noReadyEndpoints, .delegated: .notice
            }
        }
    }

    package enum Severity: String, CaseIterable, Sendable {
        /// The field at the pointer has no effect, or another one than it says: the object is not accepted.
        case notInForce
        /// Everything is done as asked, and whoever asked should know something.
        case notice
    }

    package var object: ObjectKey
    /// The place in the object, for example `/spec/http/0/route/1/destination/subset`.
    package var pointer: JSONPointer
    package var code: Code
    package var severity: Severity
    /// A sentence for people.
    package var detail: String
    /// The other object that it comes from, such as the owner of a host.
    package var other: ObjectKey?

    /// - Parameter severity: `nil`: that of the code.
    package init(
        _ object: ObjectKey, _ pointer: JSONPointer, _ code: Code, _ detail: String, severity: Severity? = nil,
        other: ObjectKey? = nil
    ) {
        self.object = object
        self.pointer = pointer
        self.code = code
        self.severity = severity ?? code.severity
        self.detail = detail
        self.other = other
    }
}
