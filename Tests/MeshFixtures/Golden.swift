package import Foundation
package import Testing

/// A folder with an input and what it must come to. `UPDATE_GOLDEN=1` rewrites the outputs; the review reads their diff.
package struct Golden: Sendable, CustomTestStringConvertible {
    package let folder: URL

    package var name: String { folder.lastPathComponent }
    package var testDescription: String { name }

    private static let isUpdating = ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1"

    package init(_ folder: URL) { self.folder = folder }

    /// The meshes that both the compiler's and the encoder's tests begin with: the folders beside the compiler's tests.
    package static let meshes: [Golden] = {
        let root = tests.appending(path: "MeshCompilerTests/Golden")
        let folders = (try? FileManager.default.contentsOfDirectory(at: root, includingPropertiesForKeys: nil)) ?? []
        return folders.filter { !$0.lastPathComponent.hasPrefix(".") }
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
}
