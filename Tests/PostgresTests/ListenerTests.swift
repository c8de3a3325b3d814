import PostgresServer
import TestSupport
import Testing

@testable import Postgres

@Suite("The listener", .timeLimit(.minutes(2)))
struct ListenerTests {
    @Test("delivers notifications, and says so when it had to connect again")
    func reconnect() async throws {
        let channel = uniqueName("Channel ")
        var options = ConnectionOptions(try await PostgresServer.shared().connectionString)
        options.applicationName = channel.name
        let (stream, sink) = AsyncStream.makeStream(of: Listener.Event.self)
        let listener = Listener(
            options, channels: [channel], backoff: .milliseconds(5)...(.milliseconds(20)), logger: quietLogger
        ) { sink.yield($0) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { sink.finish() }
                try await listener.run()
            }
            var events = stream.makeAsyncIterator()
            let sender = try await openConnection()
            #expect(await events.next() == .mayHaveMissed)
            _ = try await sender.pipeline([
                "SELECT pg_notify(\(channel.name), \("one"))", "SELECT pg_notify(\(channel.name), \("two"))",
            ])
            #expect(await events.next() == .notification(Notification(channel: channel.name, payload: "one")))
            #expect(await events.next() == .notification(Notification(channel: channel.name, payload: "two")))
            _ = try await sender.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = \(channel.name)")
            #expect(await events.next() == .mayHaveMissed)
            _ = try await sender.query("SELECT pg_notify(\(channel.name), '')")
            #expect(await events.next() == .notification(Notification(channel: channel.name, payload: "")))
            group.cancelAll()
            #expect(await events.next() == nil)
        }
    }
}
