package import Documents
package import MeshCore

/// The typed form of the `spec` of a kind of objects, and what the table says about the kind.
package protocol ResourceKind: Document, SendableMetatype {
    /// An object as the compiler sees it. An equal input is no change, so nothing is compiled again. `Never`: the
    /// compiler sees nothing of the kind.
    associatedtype Input: Hashable & Sendable = Never

    static var info: KindInfo { get }

    /// The compiler's input for an object in the state of a mesh; `nil`: the compiler sees nothing of it.
    static func input(_ spec: Self, of object: StoredObject, in mesh: MeshKey) -> Input?

    /// The mentions by which the compiler finds an object, besides its name; by default none. A pure function of the
    /// input.
    ///
    /// - Parameter name: of the object, or of its parent.
    static func mentions(_ input: Input, of name: NamespacedName) -> [Mention]

    /// Whether objects define hosts besides those of services; by default they do not.
    static var definesHosts: Bool { get }

    /// The hosts that an object defines, each once; by default none. A pure function of the input.
    static func definitions(_ input: Input) -> [DefinedHost]

    /// Which other objects an object names, in the order of its document; by default none. A change of what it answers for specs
    /// that are stored already raises ``Reference/version``.
    static func references(_ spec: Self, of key: ObjectKey) -> [Reference]
}

extension ResourceKind {
    package static func mentions(_ input: Input, of name: NamespacedName) -> [Mention] { [] }
    package static var definesHosts: Bool { false }
    package static func definitions(_ input: Input) -> [DefinedHost] { [] }
}

extension ResourceKind where Input == Never {
    package static func input(_ spec: Self, of object: StoredObject, in mesh: MeshKey) -> Never? { nil }
}

/// The kinds of objects in the order in which they are listed, loaded and documented.
package struct KindTable: Sendable {
    /// All kinds.
    package let all: [Kind]
    private let types: [any ResourceKind.Type]
    private let infos: [KindInfo]
    private let ordinals: [String: UInt8]

    /// - Parameter types: at most 255, with different names.
    init(_ types: [any ResourceKind.Type]) {
        self.types = types
        infos = types.map { $0.info }
        // Keys have one part between namespace and name, paths call it `service`, and a key's tenant is a tenant's own name.
        for info in infos {
            if case .child(let parent) = info.scope { precondition(parent == "Service", "only services have children") }
            if info.scope == .platform { precondition(info.name == "Tenant", "only tenants stand beside tenants") }
        }
        all = types.indices.map { Kind(ordinal: UInt8($0)) }
        ordinals = Dictionary(uniqueKeysWithValues: zip(infos.map(\.name), all.map(\.ordinal)))
    }

    /// The kind of a row or document.
    ///
    /// - Returns: `nil` for a name that only a newer version of this server knows, or none.
    package func kind(named name: String) -> Kind? { ordinals[name].map(Kind.init(ordinal:)) }

    package subscript(_ type: any ResourceKind.Type) -> Kind {
        guard let kind = kind(named: type.info.name) else {
            preconditionFailure("\(type) is not in the table of kinds")
        }
        return kind
    }

    fileprivate func info(_ kind: Kind) -> KindInfo { infos[Int(kind.ordinal)] }
    fileprivate func specType(_ kind: Kind) -> any ResourceKind.Type { types[Int(kind.ordinal)] }
}

extension Kind: CustomStringConvertible {
    package var info: KindInfo { kinds.info(self) }
    /// Its form in this program. (A member called `type` would not be opened as an argument by Swift 6.3.)
    package var specType: any ResourceKind.Type { kinds.specType(self) }

    /// The ``KindInfo/name``, for example `VirtualService`.
    package var name: String { info.name }
    package var scope: KindInfo.Scope { info.scope }
    package var description: String { name }
}
