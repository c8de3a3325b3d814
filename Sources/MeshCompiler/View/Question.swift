internal import MeshCore
internal import MeshModel

/// Something that a pass asks of the mesh. Who has asked is asked again when the answer may be another.
enum Question: Hashable, Sendable {
    /// An object by its name, there or not.
    case object(Kind, NamespacedName)
    /// The children of an object, whether that is there or not.
    case children(Kind, NamespacedName)
    /// All objects of a kind that mention something.
    case mentioning(Kind, Mention)
    /// The ports of a service's endpoints that no sidecar listens for, as ``WorkloadPass`` found them.
    case unservedPorts(NamespacedName)
    /// Whether a host's rules are too much: what ``RouteBudget`` came to.
    case excess(Host)
}
