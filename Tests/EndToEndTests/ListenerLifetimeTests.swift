import Foundation
import MeshLab
import TestSupport
import Testing

/// What becomes of sidecars that no server speaks to any more.
@Suite("The lifetime of listeners", .serialized)
struct ListenerLifetimeTests {
    @Test(
        "A sidecar goes on while a server is there, stops when none is, and goes on when one is back",
        arguments: ["delta", "sotw"])
    func lifetime(variant: String) async throws {
        try await TestTools.withServer { _ in
            ["SLUICE_LISTENER_TTL": "3s"]
        } _: { server, directory in
            try await ReviewsMesh.run(
                api: server.api, envoy: TestTools.envoy(), directory: directory, variant: variant
            ) { mesh in
                try await eventually("the sidecars are in step") { try await mesh.isInStep() }
                // Three times as long as the listeners live without word of the server.
                let load = mesh.load(perSecond: 100)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await load.run() }
                    defer { group.cancelAll() }
                    try await eventually("traffic goes on") { load.total.successes >= 900 }
                }
                #expect(load.total.failures == 0, "\(load.total.examples)")

                server.process.signal(SIGKILL)
                try await eventually("the caller's sidecar has no listener any more") {
                    try await mesh.caller.admin("/listeners").isEmpty
                }
                try await TestTools.stopping(Server(server.options)) { _ in
                    try await eventually("the mesh serves traffic again") {
                        let probe = mesh.load()
                        await probe.once()
                        return probe.total.successes == 1
                    }
                }
            }
        }
    }
}
