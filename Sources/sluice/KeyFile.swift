internal import Foundation
internal import MeshCore
internal import MeshIdentity

/// The origin of the key-encryption keys: a file or variable that is given, or a file that is made.
enum KeyFile {
    /// The name of the file in the data directory of a private PostgreSQL.
    static let name = "kek"

    /// The keys that the settings name, or those beside a private PostgreSQL, which are made if there are none.
    ///
    /// - Returns: `nil`: none were given, and nobody may make one beside a database that others look after.
    /// - Throws: ``ConfigurationError`` naming the setting.
    static func keys(
        _ reader: SettingReader, for database: DatabaseLocation
    ) throws(ConfigurationError) -> KeyEncryptionKeys? {
        let (path, text) = (
            try reader.value(of: SealingSettings.kekFile), try reader.value(of: SealingSettings.kek)
        )
        switch (path, text) {
        case (.some, .some):
            throw ConfigurationError("only one of \(SealingSettings.kekFile) and \(SealingSettings.kek) can be given")
        case (let path?, nil): return try read(path, "\(SealingSettings.kekFile)")
        case (nil, let text?): return try parse(Secret(text), "\(SealingSettings.kek)")
        case (nil, nil): break
        }
        guard case .directory(let directory) = database else { return nil }
        try DatabaseLocation.makeDirectory(directory)
        let own = "\(directory)/\(name)"
        if !FileManager.default.fileExists(atPath: own) { try make(own) }
        return try read(own, "\(DatabaseSettings.dataDirectory)")
    }

    private static func read(_ path: String, _ setting: String) throws(ConfigurationError) -> KeyEncryptionKeys {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw ConfigurationError("\(setting): cannot read \(path)")
        }
        return try parse(Secret(text), "\(setting): \(path)")
    }

    private static func parse(
        _ text: Secret<String>, _ origin: String
    ) throws(ConfigurationError) -> KeyEncryptionKeys {
        do throws(KeyEncryptionKeys.Mistake) {
            return try KeyEncryptionKeys(text)
        } catch {
            throw ConfigurationError("\(origin) \(KeyEncryptionKeys.rule): \(error)")
        }
    }

    /// Makes the file whole or not at all, readable for its owner alone, and does not replace one that another process has made
    /// meanwhile: what that one seals would be lost.
    private static func make(_ path: String) throws(ConfigurationError) {
        let draft = "\(path).\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: draft) }
        do {
            let descriptor = unsafe open(draft, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
            let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            try file.write(contentsOf: Data(KeyEncryptionKeys.newLine().reveal().utf8))
            // Before anything that it seals is stored.
            try file.synchronize()
            guard unsafe link(draft, path) == 0 || errno == EEXIST else {
                throw POSIXError(.init(rawValue: errno) ?? .EIO)
            }
        } catch {
            throw ConfigurationError("\(DatabaseSettings.dataDirectory): cannot make \(path): \(error)")
        }
    }
}
