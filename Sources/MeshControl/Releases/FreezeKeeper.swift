package import Logging
package import MeshStore
internal import MeshModel

/// Has the next times of freeze windows stored before they are there, and forgets those that are over. Any number of replicas may
/// run it; one is at a window at a time.
package struct FreezeKeeper: Sendable {
    private let store: MeshStore
    private let logger: Logger

    /// Windows that are claimed at a time.
    private static let batch = 50
    private static let lease = Duration.seconds(30)
    private static let pause = Duration.seconds(20)

    package init(store: MeshStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// Works until the task is cancelled.
    package func run() async throws {
        while true {
            do {
                try await extend()
            } catch {
                logger.warning("times of freeze windows not stored", metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: Self.pause)
        }
    }

    /// Stores what is due.
    package func extend() async throws {
        while true {
            let windows = try await store.claimFreezeWindows(limit: Self.batch, lease: Self.lease)
            for window in windows {
                guard let cron = window.spec.cron, let duration = window.spec.duration else { continue }
                try await store.extend(window, with: cron.times(at: window.now, lasting: duration))
            }
            if windows.count < Self.batch { return }
        }
    }
}
