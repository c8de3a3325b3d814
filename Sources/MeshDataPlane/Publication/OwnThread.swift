internal import Dispatch

/// Runs an actor on a thread of Dispatch, apart from those that everybody shares: whoever computes for long there takes time
/// from others, but nobody's turn.
final class OwnThread: SerialExecutor {
    private let queue: DispatchQueue

    init(_ label: String) { queue = DispatchQueue(label: label) }

    // An executor is handed around without being kept alive; the actor that it runs has it.

    var unowned: UnownedSerialExecutor { unsafe asUnownedSerialExecutor() }  // lint:allow

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { unsafe job.runSynchronously(on: self.unowned) }  // lint:allow
    }
}
