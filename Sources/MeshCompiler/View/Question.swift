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
    /// What of a service's endpoints no sidecar listens for: what ``WorkloadPass`` came to.
    case refusals(NamespacedName)
    /// Whether a host's rules are too much: what ``RouteBudget`` came to.
    case excess(Host)
}
