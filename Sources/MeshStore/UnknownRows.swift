internal import Logging
internal import Synchronization

/// Counts the rows that were skipped because a newer version of this server has written them, of kinds of objects that this one
/// does not know: while replicas are updated, and after a way back. They stay as they are.
package final class UnknownRows: Sendable {
    private let skipped = Atomic(0)

    /// How often one was skipped; a row counts each time that it is read.
    package var count: Int { skipped.load(ordering: .relaxed) }

    func note(_ rows: Int, _ logger: Logger) {
        guard rows > 0 else { return }
        if skipped.add(rows, ordering: .relaxed).oldValue == 0 {
            logger.warning("the database has objects of kinds that this version does not know; they are left alone")
        }
    }
}
