package import MeshModel

/// Something that an object asks for and that could not be done. The rest of the mesh is compiled all the same.
package struct Diagnostic: Hashable, Sendable {
    package enum Code: String, Sendable {
        /// A host, version or port that does not exist.
        case unknownReference
        /// Another object has the same host.
        case conflict
        /// A rule behind one that takes every request.
        case unreachable
        /// Two endpoints, or two ports of a proxy, at one address.
        case duplicateAddress
    }

    package var object: ObjectKey
    /// Where in the object, for example `/spec/http/0/route/1/destination/subset`.
    package var pointer: JSONPointer
    package var code: Code
    /// A sentence for people.
    package var detail: String

    package init(_ object: ObjectKey, _ pointer: JSONPointer, _ code: Code, _ detail: String) {
        self.object = object
        self.pointer = pointer
        self.code = code
        self.detail = detail
    }
}

extension JSONPointer {
    package static let spec = JSONPointer(["spec"])
}
