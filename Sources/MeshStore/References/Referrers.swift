internal import Documents
package import MeshCore
package import MeshModel

/// A place where an object names another one.
package struct Referrer: Hashable, Sendable {
    package var object: ObjectKey
    package var target: ObjectKey
    package var part: Reference.Part?
    /// The text of ``Reference/pointer``.
    package var pointer: String
    package var strength: Reference.Strength

    package init(_ object: ObjectKey, _ reference: Reference) {
        self.init(object, reference.target, reference.part, reference.pointer.description, reference.strength)
    }

    init(
        _ object: ObjectKey, _ target: ObjectKey, _ part: Reference.Part?, _ pointer: String,
        _ strength: Reference.Strength
    ) {
        self.object = object
        self.target = target
        self.part = part
        self.pointer = pointer
        self.strength = strength
    }
}

/// Which of those who name an object are asked for.
package struct ReferrerQuery: Sendable {
    /// The objects that a reader may see.
    package struct Visibility: Sendable {
        /// The kinds that the reader may see; of no others anything is found.
        package var kinds: [Kind]
        /// Empty: all meshes.
        package var meshes: [Name]
        /// Empty: all namespaces.
        package var namespaces: [Name]

        package init(kinds: [Kind], meshes: [Name], namespaces: [Name]) {
            self.kinds = kinds
            self.meshes = meshes
            self.namespaces = namespaces
        }
    }

    package var target: ObjectKey
    /// `nil`: whatever of the target they name; otherwise one of these parts.
    package var parts: [Reference.Part]?
    /// Only those that keep the target from being deleted.
    package var keepsTarget: Bool
    /// Whether only the first place of each object is meant.
    package var onePerObject: Bool
    /// `nil`: all objects, also those of kinds that only a newer version knows.
    package var visibility: Visibility?
    package var after: ReferrerCursor?
    package var limit: Int

    package init(
        to target: ObjectKey, parts: [Reference.Part]? = nil, keeping keepsTarget: Bool = false,
        onePerObject: Bool = false, visibleIn visibility: Visibility? = nil,
        after: ReferrerCursor? = nil, limit: Int
    ) {
        self.target = target
        self.parts = parts
        self.keepsTarget = keepsTarget
        self.onePerObject = onePerObject
        self.visibility = visibility
        self.after = after
        self.limit = limit
    }
}

/// The objects that name an object: all that were asked for, or a page of them.
package struct ReferrerPage: Sendable {
    package var items: [Referrer] = []
    /// Objects of kinds, or with references of a strength, that only a newer version of this server knows: `Gadget shop/x`.
    package var unknown: [String] = []
    /// The place where the next page begins; `nil`: this is the last one.
    package var next: ReferrerCursor?
}

/// The place behind the last item of a page of ``Referrer``s, which are in the order of kind, mesh, namespace, service, name and
/// place in the document.
package struct ReferrerCursor: Hashable, Comparable, Sendable {
    /// Kind, mesh, namespace, service, name, position.
    package let parts: [String]
    let position: Int64

    /// - Returns: `nil` unless there are six parts of this form.
    package init?(parts: [String]) {
        guard parts.count == 6, let position = Int64(parts[5]), kinds.kind(named: parts[0]) != nil,
            parts[1..<5].allSatisfy({ $0.isEmpty || Name($0) != nil })
        else { return nil }
        self.init(key: Array(parts.prefix(5)), position)
    }

    init(key: [String], _ position: Int64) {
        parts = key + [String(position)]
        self.position = position
    }

    package static func < (a: Self, b: Self) -> Bool {
        for (mine, other) in zip(a.parts.prefix(5), b.parts.prefix(5)) where mine != other {
            // As the collation "C" has it.
            return mine.utf8.lexicographicallyPrecedes(other.utf8)
        }
        return a.position < b.position
    }
}
