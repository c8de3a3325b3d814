/// Which of the kinds of objects something is; the table `kinds` (MeshModel) has made it and says the rest.
///
/// A number, as keys are compared and hashed all the time. It means something in one process only: rows and documents have
/// the kind's name.
package struct Kind: Hashable, Sendable {
    package let ordinal: UInt8

    package init(ordinal: UInt8) { self.ordinal = ordinal }
}
