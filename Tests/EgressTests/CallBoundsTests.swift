import HTTPFixtures
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import Egress

@Suite("Bounds on calls that are made at once", .timeLimit(.minutes(5)))
struct CallBoundsTests {
    private static let provider = EgressBound("provider shop/db", 4)
    private static let tenant = EgressBound("tenant acme", 32)

    @Test("hold back a call until another ends")
    func turns() async throws {
        try await ScriptedServer.run(.hold("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) { server in
            try await withClient { client in
                let request = EgressRequest(
                    url: server.url, timeout: .seconds(60), bounds: [Self.provider, Self.tenant])
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<6 { group.addTask { try await client.call(request).status } }
                    try await until("four are made, two wait") { server.held == 4 && client.waiting == 2 }
                    #expect(server.connections == 4)
                    server.release()
                    try await until("the two are made") { server.held == 2 && client.waiting == 0 }
                    server.release()
                    for try await status in group { #expect(status == 200) }
                }
                #expect(server.connections == 6)
            }
        }
    }

    @Test("end the wait in time, and say which is reached")
    func busy() async throws {
        try await ScriptedServer.run(.hold("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) { server in
            try await withClient { client in
                let one = EgressBound("provider shop/db", 1)
                let request = EgressRequest(url: server.url, timeout: .seconds(60), bounds: [Self.tenant, one])
                try await withThrowingTaskGroup(of: Int.self) { group in
                    group.addTask { try await client.call(request).status }
                    try await until("it is made") { server.held == 1 }
                    var second = request
                    second.timeout = .milliseconds(100)
                    let failure = try await client.failure(of: second)
                    #expect(failure == .busy(one))
                    #expect("\(failure)" == "already 1 calls at once for provider shop/db")
                    // Another provider's turn is not affected.
                    second.bounds = [Self.tenant]
                    second.timeout = .milliseconds(300)
                    let found1 = try await client.failure(of: second)
                    #expect(found1 == .timedOut(.answering))
                    server.release()
                    #expect(try await group.next() == 200)
                }
                #expect(client.waiting == 0)
            }
        }
    }

    @Test("that nothing fits are reached at once by every call")
    func none() async throws {
        try await withClient { client in
            let bound = EgressBound("nothing", 0)
            let request = EgressRequest(url: "http://127.0.0.1/", timeout: .milliseconds(50), bounds: [bound])
            let found2 = try await client.failure(of: request)
            #expect(found2 == .busy(bound))
        }
    }

    @Test("let those in first who came first, and do not hold up one provider for another")
    func order() async throws {
        let bounds = CallBounds()
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let deadline = NIODeadline.now() + .minutes(5)
        let slow = [EgressBound("slow", 1), EgressBound("tenant", 2)]
        let fast = [EgressBound("fast", 1), EgressBound("tenant", 2)]
        let order = Order()
        try await bounds.enter(slow, until: deadline, on: loop)
        try await withThrowingTaskGroup { group in
            for (index, name) in ["first", "second", "third"].enumerated() {
                group.addTask {
                    try await bounds.enter(slow, until: deadline, on: loop)
                    order.add(name)
                }
                try await until("it waits") { bounds.waiting == index + 1 }
            }
            // There is room for the tenant, and for this provider.
            try await bounds.enter(fast, until: deadline, on: loop)
            #expect(bounds.waiting == 3)
            for (index, name) in ["first", "second", "third"].enumerated() {
                bounds.leave(slow)
                try await until("the next is in") { order.names.last == name }
                #expect(order.names.count == index + 1)
            }
            try await group.waitForAll()
        }
        // All leave no trace.
        bounds.leave(slow)
        bounds.leave(fast)
        try await bounds.enter(slow, until: deadline, on: loop)
        try await bounds.enter(fast, until: deadline, on: loop)
    }
}

/// Names in the order in which they were added.
private final class Order: Sendable {
    private let state = Mutex<[String]>([])
    var names: [String] { state.withLock { $0 } }

    func add(_ name: String) { state.withLock { $0.append(name) } }
}
