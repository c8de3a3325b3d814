/// The settings of every command that seals or opens secrets.
enum SealingSettings: SettingList {
    static let all: [any DeclaredSetting] = [kekFile, kek]

    static let kekFile = Setting<String?>(
        "kek-file",
        """
        File with the key-encryption keys that secrets are sealed by, in lines id:base64 of 32 bytes; the first seals, all open. Without it \
        a private PostgreSQL has one made beside it, in the data directory; with --database-url nothing can be sealed.
        """, must: "be a path"
    ) { $0 }

    static let kek = Setting<String?>(
        "kek", "The lines of --kek-file themselves.", isSecret: true, hasOption: false, must: "have lines id:base64"
    ) { $0 }
}
