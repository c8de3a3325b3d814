internal import Documents
internal import Logging
internal import MeshControl
internal import MeshIdentity
internal import MeshStore
internal import Postgres

/// Checks what has to be so in the database before a replica serves: the role is one that row-level security binds, the schema is up to
/// date, the key-encryption keys are those that wrap what is in it, and there is a key to sign tokens with.
struct Preparation: Sendable {
    private let options: ConnectionOptions
    private let sealing: KeyEncryptionKeys?
    private let logger: Logger

    /// Between two attempts while the database cannot be reached, from the first to the longest.
    private static let pauses = Duration.milliseconds(500)...Duration.seconds(5)

    init(_ options: ConnectionOptions, sealing: KeyEncryptionKeys?, logger: Logger) {
        self.options = options
        self.sealing = sealing
        self.logger = logger
    }

    /// Tries until the database can be reached: a replica may be started before it, or while it has no free connection.
    ///
    /// - Throws: ``ConfigurationError`` and ``Failure`` for what does not mend itself.
    func untilReachable() async throws -> ProxyTokens {
        var pause = Self.pauses.lowerBound
        while true {
            do {
                return try await attempt()
            } catch let error as PostgresError where Self.mayPass(error) {
                logger.warning(
                    "waiting for the database", metadata: ["reason": "\(error.message)", "retry": "\(pause.text)"])
            } catch StoreError.unavailable(_, let hindrance) {
                logger.warning(
                    "waiting for the database", metadata: ["reason": "\(hindrance)", "retry": "\(pause.text)"])
            } catch {
                throw Self.explained(error)
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, Self.pauses.upperBound)
        }
    }

    /// Tries once.
    func once() async throws -> ProxyTokens {
        do {
            return try await attempt()
        } catch {
            throw Self.explained(error)
        }
    }

    private static func mayPass(_ error: PostgresError) -> Bool { error.isUnavailable && !error.isRefusal }

    private static func explained(_ error: any Error) -> any Error {
        switch error {
        case let error as RowSecurity.Breach: ConfigurationError("\(error)")
        case let error as KeyKeeper.WrongKeys:
            ConfigurationError("\(SealingSettings.kekFile), or the file beside a private PostgreSQL: \(error)")
        case let error as Migrator.Failure: Failure("\(error)")
        case let error as PostgresError: Failure("the database cannot be used: \(error)")
        default: error
        }
    }

    private func attempt() async throws -> ProxyTokens {
        try await Pool.running(PoolOptions(options), logger: logger) { pool in
            let security = RowSecurity(pool: pool)
            try await security.checkRole()
            do {
                for name in try await Migrator(pool: pool).up() {
                    logger.notice("migrated", metadata: ["migration": "\(name)"])
                }
            } catch Migrator.Failure.failed(_, let error) where Self.mayPass(error) {
                throw error
            }
            try await security.checkTables()
            let store = MeshStore(pool: pool, logger: logger)
            if let sealing { try await KeyKeeper(store: store, keys: sealing).check() }
            guard let tokens = ProxyTokens(try await store.signingKeys()) else {
                throw Failure("the database has no signing key")
            }
            return tokens
        }
    }
}
