/// The two variants of the protocol.
package enum Variant: Sendable {
    /// Every response of LDS and CDS has everything.
    case stateOfTheWorld
    /// Responses have what changed ("incremental").
    case delta
}
