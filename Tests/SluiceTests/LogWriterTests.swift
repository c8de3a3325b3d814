import Documents
import Foundation
import Glibc
import TestSupport
import Testing

@testable import sluice

/// What is on the other end of the log may be full, gone or asleep; whoever logs does not notice.
@Suite("The log's writer")
struct LogWriterTests {
    /// Lines that are more than a pipe and the queue hold together.
    private static let many = 3 * LogWriter.capacity / 1024

    private static func line(_ number: Int) -> [UInt8] {
        Array("\(number) ".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: 1000) + [0x0A]
    }

    /// Reads until `isEnough`, or until there is nobody left who writes.
    private static func read(_ descriptor: Int32, until isEnough: (String) -> Bool) -> String {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while !isEnough(text) {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count <= 0 { break }
            text += String(decoding: buffer.prefix(count), as: UTF8.self)
        }
        return text
    }

    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        try #require(unsafe Glibc.pipe(&ends) == 0)
        signal(SIGPIPE, SIG_IGN)
        return (ends[0], ends[1])
    }

    @Test("A reader that stalls costs lines, which are counted; nobody waits for it", arguments: [false, true])
    func stalled(isNonBlocking: Bool) throws {
        let ends = try Self.pipe()
        if isNonBlocking { _ = fcntl(ends.write, F_SETFL, O_NONBLOCK) }
        let writer = LogWriter(descriptor: ends.write)
        // Nobody reads meanwhile, so this would not return if writing waited for a reader.
        for number in 0..<Self.many { writer.write(Self.line(number)) }
        #expect(!writer.flush(atMost: .milliseconds(1)))

        let text = Self.read(ends.read) { $0.contains("lines were lost") && $0.hasSuffix("\n") }
        writer.write(Self.line(-1))
        let rest = Self.read(ends.read) { $0.contains("-1 ") && $0.hasSuffix("\n") }
        let lines = (text + rest).split(separator: "\n")
        let numbers = lines.compactMap { $0.split(separator: " ").first.flatMap { Int($0) } }
        let notices = try lines.filter { $0.hasPrefix("{") }.map { try JSONValue(json: Data($0.utf8)) }
        let lost = notices.compactMap { $0["lines"]?.integerValue }.reduce(0, +)
        #expect(lost > 0)
        #expect(numbers.filter { $0 >= 0 }.count + Int(lost) == Self.many)
        #expect(numbers.last == -1)
        #expect(lines.allSatisfy { $0.hasSuffix("xx") || $0.hasSuffix("}") }, "no line is cut")
        writer.close()
    }

    @Test("A reader that has gone costs what is logged and nothing else")
    func readerGone() throws {
        let ends = try Self.pipe()
        let writer = LogWriter(descriptor: ends.write)
        close(ends.read)
        for number in 0..<Self.many { writer.write(Self.line(number)) }
        #expect(writer.flush(atMost: .seconds(60)))
        writer.close()
        close(ends.write)
    }

    @Test("A full disk and a closed descriptor cost what is logged and nothing else", arguments: ["/dev/full", nil])
    func unwritable(path: String?) throws {
        let descriptor = path.map { unsafe open($0, O_WRONLY) } ?? 9_999
        let writer = LogWriter(descriptor: descriptor)
        for number in 0..<Self.many { writer.write(Self.line(number)) }
        #expect(writer.flush(atMost: .seconds(60)))
        writer.close()
    }

    @Test("What was lost is said with the first line that gets through again, which stands alone")
    func fileAtItsEnd() throws {
        // A pipe whose reader goes and comes again, under one name.
        let path = FileManager.default.temporaryDirectory.appending(path: "log-\(UUID().uuidString)").path
        try #require(unsafe mkfifo(path, 0o600) == 0)
        defer { unsafe unlink(path) }
        let first = unsafe open(path, O_RDONLY | O_NONBLOCK)
        let end = unsafe open(path, O_WRONLY)
        signal(SIGPIPE, SIG_IGN)
        let writer = LogWriter(descriptor: end)
        close(first)
        for number in 0..<3 { writer.write(Self.line(number)) }
        #expect(writer.flush(atMost: .seconds(60)))
        let second = unsafe open(path, O_RDONLY)
        writer.write(Self.line(3))
        let lines = Self.read(second) { $0.contains("lost") && $0.hasSuffix("\n") }.split(separator: "\n")
        #expect(lines.first?.hasPrefix("3 x") == true)
        #expect(try JSONValue(json: Data(try #require(lines.last).utf8))["lines"] == 3)
        writer.close()
    }
}

@Suite("Lines of the log")
struct LogLineTests {
    @Test("Texts are cut, and a line is bounded, whatever it is about")
    func bounded() {
        #expect(JSONLogHandler.cut(String(repeating: "é", count: 10_000)).utf8.count <= JSONLogHandler.textLimit + 3)
        #expect(JSONLogHandler.cut("short") == "short")
    }
}
