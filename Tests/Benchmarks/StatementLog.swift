internal import Foundation
internal import Logging
internal import MeshLab
internal import Postgres
internal import PostgresServer

/// Reads from PostgreSQL's own log what statements the server runs, so that a baseline cannot drift from the product.
struct StatementLog {
    struct Statement {
        var sql: String
        /// By number, from 1. `nil` is NULL.
        var parameters: [Int: String?]
    }

    private let server: MeasuredServer

    init(_ server: MeasuredServer) { self.server = server }

    func start() async throws { try await set("all") }
    func stop() async throws { try await set("none") }

    /// How many statements there have been while it was on.
    func count() throws -> Int { Self.entries(try text()).count { !$0.isDetail } }

    private func text() throws -> String {
        let folder = "\(server.database.clusterDirectory)/log"
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        return try files.map { try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8) }.joined()
    }

    private func set(_ value: String) async throws {
        let administrator = try await Connection.open(
            ConnectionOptions(server.database.connectionString(database: "sluice", user: "postgres")))
        _ = try await administrator.execute(script: "ALTER SYSTEM SET log_statement = '\(value)'")
        _ = try await administrator.execute(script: "SELECT pg_reload_conf()")
        // The server's connections see it when the signal has reached them; its own timers make them busy.
        try await Task.sleep(for: .seconds(3))
    }

    /// The last transaction, or pipeline, one of whose statements has the parameter `probe`.
    func statements(naming probe: String) throws -> [Statement] {
        let text = try text()
        var sessions: [Substring: [Statement]] = [:]
        var found: [Statement] = []
        var isOpen: Set<Substring> = []
        for entry in Self.entries(text) {
            if entry.isDetail {
                guard var last = sessions[entry.session]?.popLast() else { continue }
                last.parameters = Self.parameters(entry.text)
                sessions[entry.session, default: []].append(last)
                let isMeant = last.parameters.values.contains(probe)
                if isMeant && !isOpen.contains(entry.session) { found = sessions[entry.session]?.suffix(2) ?? [] }
                continue
            }
            if entry.text.hasPrefix("BEGIN") {
                sessions[entry.session] = []
                isOpen.insert(entry.session)
            }
            sessions[entry.session, default: []].append(Statement(sql: entry.text, parameters: [:]))
            if entry.text == "COMMIT", isOpen.remove(entry.session) != nil {
                let block = sessions[entry.session] ?? []
                if block.contains(where: { $0.parameters.values.contains(probe) }) { found = block }
            }
        }
        guard !found.isEmpty else { throw LabError("PostgreSQL's log has no statement with \(probe)") }
        return found
    }

    private struct Entry {
        var session: Substring
        var isDetail: Bool
        var text: String
    }

    /// `2026-01-01 00:00:00.000 UTC [123] LOG:  execute s1: SELECT …`, and the lines that follow with a tab.
    private static func entries(_ text: String) -> [Entry] {
        let line =
            /^[-0-9]+ [:.0-9]+ \w+ \[([0-9]+)\] (LOG|DETAIL): +(?:execute [^:]*: |parameters: |statement: )?(.*)$/
        var entries: [Entry] = []
        for part in text.split(separator: "\n") {
            if part.hasPrefix("\t") {
                entries[entries.count - 1].text += "\n" + part.dropFirst()
            } else if let match = part.wholeMatch(of: line) {
                entries.append(Entry(session: match.1, isDetail: match.2 == "DETAIL", text: String(match.3)))
            } else {
                entries.append(Entry(session: "", isDetail: false, text: String(part)))
            }
        }
        return entries
    }

    /// `$1 = 'acme', $2 = NULL`; quotes within are doubled.
    private static func parameters(_ text: String) -> [Int: String?] {
        var parameters: [Int: String?] = [:]
        for match in text.matches(of: /\$([0-9]+) = (?:NULL|'((?:[^']|'')*)')/) {
            parameters[Int(match.1) ?? 0] = .some(match.2.map { String($0).replacing("''", with: "'") })
        }
        return parameters
    }
}

/// The statements as a script of pgbench: values as they were logged, but for the object, which is one of many, and the
/// revision, which is the one that the transaction itself draws. Round trips are as few as pgbench can make them.
struct PgbenchScript {
    let text: String

    init(_ statements: [StatementLog.Statement], probe: String, objects: Int) {
        let drawn = statements.firstIndex { $0.sql.hasSuffix("RETURNING revision") }
        // The change feed is the one place that surely has the revision.
        let feed = statements.first { $0.sql.hasPrefix("INSERT INTO change") }
        let revision = feed?.parameters[3] ?? nil
        var lines = ["\\set i random(0, \(objects - 1))", "\\startpipeline"]
        for (index, statement) in statements.enumerated() {
            var sql = statement.sql
            for (number, value) in statement.parameters.sorted(by: { $0.key > $1.key }) {
                let text: String
                switch value {
                case nil: text = "NULL"
                case probe?: text = "('\(probe.prefix { $0 != "-" })-' || :i::text)"
                case let value? where drawn.map({ index > $0 }) == true && value == revision: text = ":revision"
                case let value?: text = "'\(value.replacing("'", with: "''"))'"
                }
                sql = sql.replacing("$\(number)", with: text)
            }
            if index == drawn {
                lines += ["\\endpipeline", sql + " \\gset", "\\startpipeline"]
            } else {
                lines.append(sql + ";")
            }
        }
        lines.append("\\endpipeline")
        text = lines.joined(separator: "\n") + "\n"
    }
}
