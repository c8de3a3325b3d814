internal import ArgumentParser
internal import MeshCore
internal import MeshStore

/// `sluice keys`: `list`, `rotate` and `remove` of what tokens are signed with; `kek rotate`, `data rotate` and `verify` of what secrets
/// are sealed by.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Look after the keys that proxies' tokens are signed with, and those that secrets are sealed by.",
        discussion: """
            Those of tokens are what list, rotate and remove are about. To rotate: add a key, which signs from a minute later; fetch and distribute new bootstraps at your pace, for old \
            tokens stay good; then remove the old key. No connection is cut: proxies that are connected stay, and show their \
            token when they connect the next time, after half an hour at the latest.

            Secrets are sealed by a key of their tenant, which is wrapped by a key-encryption key that is not in the database. To rotate \
            that: put a new line before the others in the key file, restart all servers with it, run kek rotate, and take the old line \
            away.

            \(SettingReader.help)
            """,
        subcommands: [
            List.self, Rotate.self, Remove.self, SealingCommand.KeyEncryption.self, SealingCommand.Data.self,
            SealingCommand.Verify.self,
        ])

    struct List: DatabaseCommand {
        static let configuration = CommandConfiguration(abstract: "List the keys; the first one signs.")
        @OptionGroup var database: SettingOptions<DatabaseSettings>

        mutating func run() async throws { try await change { try await $0.signingKeys() } }
    }

    struct Rotate: DatabaseCommand {
        static let configuration = CommandConfiguration(abstract: "Add a key, which signs from a minute later.")
        @OptionGroup var database: SettingOptions<DatabaseSettings>

        mutating func run() async throws { try await change { try await $0.addSigningKey() } }
    }

    struct Remove: DatabaseCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a key: what it has signed is not accepted any more.")
        @Argument(help: "The key's id; not that of the one that signs.") var id: String
        @OptionGroup var database: SettingOptions<DatabaseSettings>

        mutating func run() async throws {
            try await change { [id] store in
                do {
                    return try await store.removeSigningKey(id)
                } catch StoreError.notFound {
                    throw Failure("there is no key \(id)")
                } catch StoreError.alreadyExists {
                    throw Failure("\(id) is the key that signs: add another one first, and wait a minute")
                }
            }
        }
    }
}

extension DatabaseCommand {
    /// Prints the keys that are there afterwards.
    fileprivate func change(_ body: (MeshStore) async throws -> [StoredSigningKey]) async throws {
        let keys = try await withPool { try await body(MeshStore(pool: $0, logger: Self.logger)) }
        for (index, key) in keys.enumerated() {
            print("\(key.id)\t\(key.createdAt.text)\(index == 0 ? "\tsigns" : "")")
        }
    }
}
