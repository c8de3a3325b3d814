import Glibc
import Logging
import Testing

@testable import sluice

@Suite("Signals")
struct SignalTests {
    @Test("The first one drains", arguments: [SIGTERM, SIGINT])
    func first(_ number: Int32) async {
        await #expect(processExitsWith: .exitCode(7)) { [number] in
            await SignalTests.watching {
                kill(getpid(), number)
            } drain: {
                exit(7)
            }
        }
    }

    @Test("A second one, of either sort, ends the process although it drains")
    func second() async {
        await #expect(processExitsWith: .exitCode(1)) {
            await SignalTests.watching {
                kill(getpid(), SIGTERM)
            } drain: {
                kill(getpid(), SIGINT)
            }
        }
    }

    /// Raises a signal as soon as one is watched for.
    private static func watching(raise: @escaping @Sendable () -> Void, drain: @escaping @Sendable () -> Void) async {
        await withTaskGroup { group in
            group.addTask { await SignalWatch(logger: Logger(label: "test")).run(onWatching: raise, drain: drain) }
        }
    }
}
