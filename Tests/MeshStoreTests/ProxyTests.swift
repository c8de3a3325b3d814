import Documents
import MeshCore
import MeshModel
import MeshStore
import TestSupport
import Testing

@Suite("Proxies")
struct ProxyTests {
    @Test("what a replica reports is what is listed")
    func report() async throws {
        try await withStore { store in
            try await store.keepAlive("r1")
            var row = try await store.row("cart-1", on: "r1", acked: 3)
            row.rejectedRevision = 4
            row.rejectedMessage = "no \"such\" cluster ☕"
            row.types = ["CDS": ProxyTypeStatus(state: .rejected, sentVersion: "2", ackedVersion: "1", error: "no")]
            row.client = ProxyClient(.envoy(httpProxyPort: 15_080), service: name("cart"))
            let plain = try await store.row("cart-2", on: "r1", acked: 0)
            try await store.report([row, plain])
            #expect(try await store.proxies(of: .acme, limit: 10) == [row, plain])
            row.rejectedRevision = nil
            row.rejectedMessage = nil
            row.ackedRevision = 5
            try await store.report([row])
            #expect(try await store.proxies(of: .acme, limit: 10) == [row, plain])
        }
    }

    @Test("of several rows of one proxy in a report the last counts; an empty report is nothing")
    func lastCounts() async throws {
        try await withStore { store in
            try await store.keepAlive("r1")
            try await store.report([])
            try await store.report([
                try await store.row("a", on: "r1", acked: 1), try await store.row("b", on: "r1", acked: 1),
                try await store.row("a", on: "r1", acked: 2),
            ])
            #expect(try await store.proxies(of: .acme, limit: 10).map(\.ackedRevision) == [2, 1])
        }
    }

    @Test("a proxy that came back to another replica is that one's; the old one's farewell changes nothing")
    func moving() async throws {
        try await withStore { store in
            for replica in ["r1", "r2"] { try await store.keepAlive(replica) }
            try await store.report([try await store.row("a", on: "r1", acked: 1)])
            let moved = try await store.row("a", on: "r2", acked: 2)
            try await store.report([moved])
            var farewell = try await store.row("a", on: "r1", acked: 1)
            farewell.connected = false
            try await store.report([farewell])
            #expect(try await store.proxies(of: .acme, limit: 10) == [moved])
            var end = moved
            end.connected = false
            try await store.report([end])
            #expect(try await store.proxies(of: .acme, limit: 10) == [end])
        }
    }

    @Test("the proxies of a replica that died or never was count as disconnected, and as connected when it is back")
    func ownerDeath() async throws {
        try await withStore { store in
            try await store.report([try await store.row("a", on: "r1", acked: 1)])
            #expect(try await store.connected() == [false], "nobody has heard of the replica")
            try await store.keepAlive("r1")
            #expect(try await store.connected() == [true])
            try await store.silence("r1", for: "16 seconds")
            #expect(try await store.connected() == [false])
            try await until("a heartbeat does not bring the replica back") {
                try await store.heartbeat("r1")
                return try await store.connected() == [true]
            }
            try await store.keepAlive("r1")
            try await store.retire("r1")
            #expect(try await store.connected() == [false])
        }
    }

    @Test("a proxy whose words cannot be stored does not keep others' rows from being written")
    func hostileWords() async throws {
        try await withStore { store in
            var row = try await store.row("a", on: "r1", acked: 1)
            row.rejectedMessage = "a\0b"
            row.types = ["CDS": ProxyTypeStatus(state: .rejected, error: "y\0\\u0000")]
            try await store.report([row, try await store.row("b", on: "r1", acked: 1)])
            let stored = try await store.proxies(of: .acme, limit: 9)
            #expect(stored.map(\.name.name.text) == ["a", "b"])
            #expect(stored.first?.rejectedMessage == "a\u{FFFD}b")
            #expect(stored.first?.types["CDS"]?.error == "y\u{FFFD}\\u0000")
        }
    }

    @Test("what is said of an earlier mesh of the name is left out, and the rest of the report is not")
    func earlierMesh() async throws {
        try await withStore { store in
            try await store.keepAlive("r1")
            let life = try #require(try await store.life(of: .acme))
            var (old, new, any) = (
                try await store.row("a", on: "r1", acked: 1), try await store.row("b", on: "r1", acked: 1),
                try await store.row("c", on: "r1", acked: 1)
            )
            (old.meshUID, new.meshUID) = ("00000000-0000-4000-8000-000000000000", life.mesh)
            try await store.report([old, new, any])
            #expect(try await store.proxies(of: .acme, limit: 9).map(\.name) == [new.name, any.name])
            any.meshUID = old.meshUID
            any.ackedRevision = 9
            try await store.report([any])
            #expect(try await store.proxies(of: .acme, limit: 9).map(\.ackedRevision) == [1, 1])
        }
    }
}
