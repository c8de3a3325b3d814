package import Foundation
package import Testing

/// A folder with an input and what it must come to. `UPDATE_GOLDEN=1` rewrites the outputs; the review reads their diff.
package struct Golden: Sendable, CustomTestStringConvertible {
    package let folder: URL

    package var name: String { folder.lastPathComponent }
    package var testDescription: String { name }

    private static let isUpdating = ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1"

    package init(_ folder: URL) { self.folder = folder }

    /// The meshes that both the compiler's and the encoder's tests begin with: the folders with one beside the compiler's tests.
    package static let meshes: [Golden] = {
        let root = tests.appending(path: "MeshCompilerTests/Golden")
        let folders = (try? FileManager.default.contentsOfDirectory(at: root, includingPropertiesForKeys: nil)) ?? []
        return folders.filter { FileManager.default.fileExists(atPath: $0.appending(path: "mesh.json").path) }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }.map(Golden.init)
    }()

    /// The folder that has all tests in it.
    package static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    package func input(_ file: String) throws -> Data { try Data(contentsOf: folder.appending(path: file)) }

    package func hasInput(_ file: String) -> Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: file).path)
    }

    /// Compares `actual` with a file of the folder, or writes the file.
    package func expect(_ actual: Data, in file: String, at source: SourceLocation = #_sourceLocation) throws {
        let url = folder.appending(path: file)
        if Self.isUpdating {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try actual.write(to: url)
            return
        }
        let expected = (try? Data(contentsOf: url)) ?? Data()
        guard actual != expected else { return }
        Attachment.record(Array(actual), named: "\(name)-\(file)", sourceLocation: source)
        Issue.record("\(name)/\(file) differs; see the attachment, or UPDATE_GOLDEN=1", sourceLocation: source)
    }

    /// Has nothing else lie in the folder: what a case that no longer exists has left is a mistake, or is removed.
    ///
    /// It does not get into the way of ``expect(_:in:at:)``, which writes nothing but expected files.
    ///
    /// - Parameters:
    ///   - expected: all files, by their paths in the folder.
    ///   - isOutput: whether a file of this name is written by tests. What people write is never removed.
    package func expectNothing(
        but expected: Set<String>, outputs isOutput: (String) -> Bool, at source: SourceLocation = #_sourceLocation
    ) throws {
        for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
        where try !expected.contains(path) && !isFolder(path) {
            let file = folder.appending(path: path)
            guard Self.isUpdating, isOutput(file.lastPathComponent) else {
                Issue.record(
                    "nothing makes \(name)/\(path); UPDATE_GOLDEN=1 removes old outputs", sourceLocation: source)
                continue
            }
            try FileManager.default.removeItem(at: file)
            let rest = try FileManager.default.contentsOfDirectory(atPath: file.deletingLastPathComponent().path)
            if rest.isEmpty { try FileManager.default.removeItem(at: file.deletingLastPathComponent()) }
        }
    }

    private func isFolder(_ path: String) throws -> Bool {
        try folder.appending(path: path).resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true
    }
}
