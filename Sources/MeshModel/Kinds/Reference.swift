package import Documents
package import MeshCore

/// An object's naming of another object, in its `spec`. What an object's key says already, such as an endpoint's service, is none.
///
/// The function ``ResourceKind/references(_:of:)`` is the truth. The store keeps rows of what it answers, for questions that go
/// across objects: what uses an object, and whether it can be deleted.
package struct Reference: Hashable, Sendable {
    /// A part of the target, if the reference names no more than that.
    package enum Part: Hashable, Sendable {
        /// A version of a service.
        case version(Name)
        /// A destination's `subset`: one of the DestinationRule that holds for the service, or a version of the
        /// service.
        case subset(Name)
        /// A value of a Secret.
        case key(String)
    }

    /// The demand of a reference on its target: whether it must exist, and whether it can be deleted.
    package enum Strength: String, CaseIterable, Sendable {
        /// The target must exist when the object is written, and cannot be deleted as long as the object names it.
        case strong
        /// The name may mean the target, or something else. If it exists it cannot be deleted, as with ``strong``.
        case possible
        /// The target may be missing, and may be deleted.
        case weak

        /// Whether a target that exists stays.
        package var keeps: Bool { self != .weak }
    }

    /// The right that the object's writer needs in the target's namespace, if that is another one than the object's.
    package enum Right: Hashable, Sendable {
        case none
        /// To write objects of the kind that refers to it: the object decides about the target.
        case write
    }

    package var target: ObjectKey
    package var part: Part?
    /// The place in the document that names the target, for example `/spec/http/0/route/0/destination`.
    package var pointer: JSONPointer
    package var strength: Strength
    package var right: Right

    package init(
        to target: ObjectKey, _ part: Part? = nil, at pointer: JSONPointer, _ strength: Strength, right: Right = .none
    ) {
        self.target = target
        self.part = part
        self.pointer = pointer
        self.strength = strength
        self.right = right
    }

    /// Grows with every change of what one of the functions answers for specs that are stored already: then the rows of all
    /// objects are made anew. The newest migration that makes the index `object_references` says the same number; a test
    /// compares them.
    package static let version = 1
}

extension Reference.Part: LosslessStringConvertible {
    /// The form in rows of the store: `version/v1`.
    package var description: String {
        switch self {
        case .version(let name): "version/\(name)"
        case .subset(let name): "subset/\(name)"
        case .key(let key): "key/\(key)"
        }
    }

    package init?(_ text: String) {
        let words = text.split(separator: "/", maxSplits: 1)
        guard words.count == 2 else { return nil }
        if words[0] == "key", SecretReference.isKey(String(words[1])) {
            self = .key(String(words[1]))
            return
        }
        guard let name = Name(String(words[1])) else { return nil }
        switch words[0] {
        case "version": self = .version(name)
        case "subset": self = .subset(name)
        default: return nil
        }
    }
}

extension Kind {
    /// The references of a stored object; `nil` if its spec cannot be read.
    package func references(in spec: JSONValue, of key: ObjectKey) -> [Reference]? {
        func references<Spec: ResourceKind>(_: Spec.Type) -> [Reference]? {
            Spec.read(spec, at: .root, log: ViolationLog(ofStored: true)).map { Spec.references($0, of: key) }
        }
        return references(specType)
    }
}

extension ResourceKind {
    package static func references(_ spec: Self, of key: ObjectKey) -> [Reference] { [] }

    /// The references of an object with this spec.
    package func references(of key: ObjectKey) -> [Reference] { Self.references(self, of: key) }
}
