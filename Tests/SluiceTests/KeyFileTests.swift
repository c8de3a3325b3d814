import Foundation
import MeshIdentity
import TestSupport
import Testing

@testable import sluice

@Suite("The file of key-encryption keys")
struct KeyFileTests {
    private static let line = "k1:" + String(repeating: "A", count: 43) + "="

    private static func keys(
        _ environment: [String: String], _ database: DatabaseLocation = .url("postgres://h/d")
    ) throws -> KeyEncryptionKeys? {
        try KeyFile.keys(SettingReader([], environment: environment), for: database)
    }

    private static func withDirectory(_ body: (String) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "keys-\(UUID())").path()
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(directory)
    }

    @Test("Beside a private PostgreSQL one is made once, for its owner alone; beside another database none is")
    func made() throws {
        try Self.withDirectory { directory in
            let data = directory + "/data"
            let first = try #require(try Self.keys([:], .directory(data)))
            let attributes = try FileManager.default.attributesOfItem(atPath: data + "/kek")
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
            #expect(try Self.keys([:], .directory(data))?.ids == first.ids)
            #expect(try FileManager.default.contentsOfDirectory(atPath: data) == ["kek"])
            #expect(try Self.keys([:]) == nil)
        }
    }

    @Test("The file or the variable that is given wins over one that would be made")
    func given() throws {
        try Self.withDirectory { directory in
            let path = directory + "/keys"
            try Data(Self.line.utf8).write(to: URL(filePath: path))
            #expect(try Self.keys(["SLUICE_KEK_FILE": path], .directory(directory))?.ids == ["k1"])
            #expect(try Self.keys(["SLUICE_KEK": Self.line], .directory(directory))?.ids == ["k1"])
            #expect(!FileManager.default.fileExists(atPath: directory + "/kek"))
            #expect(throws: ConfigurationError.self) {
                try Self.keys(["SLUICE_KEK": Self.line, "SLUICE_KEK_FILE": path])
            }
        }
    }

    @Test("What cannot be used is named with its setting, and not repeated")
    func mistakes() throws {
        try Self.withDirectory { directory in
            let path = directory + "/keys"
            try Data("hunter2".utf8).write(to: URL(filePath: path))
            for (environment, text) in [
                (["SLUICE_KEK_FILE": "/no/file"], "--kek-file (SLUICE_KEK_FILE): cannot read /no/file"),
                (
                    ["SLUICE_KEK_FILE": path],
                    "--kek-file (SLUICE_KEK_FILE): \(path) must have lines id:base64 of 32 bytes"
                ),
                (["SLUICE_KEK": "hunter2"], "SLUICE_KEK must have lines id:base64 of 32 bytes"),
            ] {
                let error = try #require(throws: ConfigurationError.self) { try Self.keys(environment) }
                #expect(error.description.hasPrefix(text), "\(error)")
                #expect(!error.description.contains("hunter2"))
            }
        }
    }
}
