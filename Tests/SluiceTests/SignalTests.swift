import Glibc
import Logging
import Testing

@testable import sluice

@Suite("Signals")
struct SignalTests {
    @Test("The first one drains, although nobody waits for it yet", arguments: [SIGTERM, SIGINT])
    func first(_ number: Int32) async {
        await #expect(processExitsWith: .exitCode(7)) { [number] in
            let watch = await SignalWatch(logger: Logger(label: "test"))
            kill(getpid(), number)
            await watch.run { exit(7) }
        }
    }

    @Test("A second one ends the process although it drains", arguments: [SIGTERM, SIGINT], [SIGTERM, SIGINT])
    func second(_ first: Int32, _ second: Int32) async {
        await #expect(processExitsWith: .exitCode(1)) { [first, second] in
            let watch = await SignalWatch(logger: Logger(label: "test"))
            kill(getpid(), first)
            await watch.run { kill(getpid(), second) }
        }
    }
}
