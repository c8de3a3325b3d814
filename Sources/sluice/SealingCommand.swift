internal import ArgumentParser
internal import MeshControl
internal import MeshIdentity
internal import MeshStore

/// The commands about the keys that secrets are sealed by.
enum SealingCommand {
    struct KeyEncryption: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "kek", abstract: "Look after the keys that wrap the tenants' keys.", subcommands: [Rotate.self]
        )

        struct Rotate: KeyKeeperCommand {
            static let configuration = CommandConfiguration(
                commandName: "rotate", abstract: "Wrap all tenants' keys by the first key of the key file.")
            @OptionGroup var database: SettingOptions<DatabaseSettings>
            @OptionGroup var sealing: SettingOptions<SealingSettings>

            mutating func run() async throws {
                let count = try await keep { try await $0.rewrap() }
                print("wrapped anew: \(count)")
            }
        }
    }

    struct Data: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "data", abstract: "Look after the tenants' keys.", subcommands: [Rotate.self])

        struct Rotate: KeyKeeperCommand {
            static let configuration = CommandConfiguration(
                commandName: "rotate", abstract: "Give every tenant a new key, and seal all secrets by it.")
            @OptionGroup var database: SettingOptions<DatabaseSettings>
            @OptionGroup var sealing: SettingOptions<SealingSettings>

            mutating func run() async throws {
                let count = try await keep { try await $0.rotateDataKeys() }
                print("sealed anew: \(count)")
            }
        }
    }

    struct Verify: KeyKeeperCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify", abstract: "Open all tenants' keys and all secrets; fails if one does not open.")
        @OptionGroup var database: SettingOptions<DatabaseSettings>
        @OptionGroup var sealing: SettingOptions<SealingSettings>

        mutating func run() async throws {
            let findings = try await keep { try await $0.verify() }
            print("tenants' keys: \(findings.dataKeys), secret values: \(findings.values)")
            guard findings.failures.isEmpty else {
                throw Failure("\(findings.failures.count) do not open:\n\(findings.failures.joined(separator: "\n"))")
            }
        }
    }
}

/// A command about the keys that secrets are sealed by.
protocol KeyKeeperCommand: DatabaseCommand {
    var sealing: SettingOptions<SealingSettings> { get }
}

extension KeyKeeperCommand {
    /// - Throws: ``ConfigurationError`` if there are no keys, or others than the database's; ``Failure``.
    fileprivate func keep<T: Sendable>(_ body: (KeyKeeper) async throws -> T) async throws -> T {
        let reader = SettingReader(database.given + sealing.given)
        guard let keys = try KeyFile.keys(reader, for: DatabaseLocation(reader)) else {
            throw ConfigurationError("\(SealingSettings.kekFile) or \(SealingSettings.kek) is needed")
        }
        return try await withPool { pool in
            do {
                return try await body(KeyKeeper(store: MeshStore(pool: pool, logger: Self.logger), keys: keys))
            } catch let error as KeyKeeper.WrongKeys {
                throw ConfigurationError("\(error)")
            }
        }
    }
}
