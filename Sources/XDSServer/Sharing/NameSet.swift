/// Names of resources that a client wants, with a fingerprint by which equal sets are known without looking at the names.
struct NameSet: Equatable {
    /// A hash of a set of names, whatever their order. Hashes are seeded anew in every process (`Hasher`), so nobody can choose
    /// names for which two sets agree, and by chance it does not happen.
    struct Fingerprint: Hashable {
        private(set) var count = 0
        private var sum: UInt64 = 0
        private var squares: UInt64 = 0

        init() {}

        /// - Parameter names: without duplicates, or it is not the fingerprint of their set.
        init(_ names: [String]) {
            for name in names { insert(name) }
        }

        mutating func insert(_ name: String) { insert(name.utf8) }

        /// - Parameter name: in UTF-8.
        mutating func insert(_ name: some Collection<UInt8>) { insert(hash: Self.hash(name)) }

        /// A name and what it stands for, both in UTF-8.
        mutating func insert(_ name: some Collection<UInt8>, _ value: some Collection<UInt8>) {
            insert(hash: Self.hash(name, value))
        }

        private mutating func insert(hash: UInt64) {
            count += 1
            sum &+= hash
            squares &+= hash &* hash
        }

        mutating func remove(_ name: String) {
            self -= Fingerprint([name])
        }

        /// With what another one is of, and this one is not.
        static func += (all: inout Self, other: Self) {
            all.count += other.count
            all.sum &+= other.sum
            all.squares &+= other.squares
        }

        /// Without what another one is of. If this one is not of all of it, it becomes one that nothing has.
        static func -= (all: inout Self, other: Self) {
            all.count -= other.count
            all.sum &-= other.sum
            all.squares &-= other.squares
        }

        private static func hash(_ name: some Collection<UInt8>) -> UInt64 {
            var hasher = Hasher()
            combine(name, &hasher)
            return UInt64(bitPattern: Int64(hasher.finalize()))
        }

        private static func hash(_ name: some Collection<UInt8>, _ value: some Collection<UInt8>) -> UInt64 {
            var hasher = Hasher()
            combine(name, &hasher)
            combine(value, &hasher)
            return UInt64(bitPattern: Int64(hasher.finalize()))
        }

        private static func combine(_ text: some Collection<UInt8>, _ hasher: inout Hasher) {
            hasher.combine(text.count)
            // Eight bytes at a time, because the hasher takes a single one as slowly.
            var (word, filled): (UInt64, Int) = (0, 0)
            for byte in text {
                (word, filled) = (word << 8 | UInt64(byte), filled + 1)
                guard filled == 8 else { continue }
                hasher.combine(word)
                (word, filled) = (0, 0)
            }
            if filled > 0 { hasher.combine(word) }
        }
    }

    private(set) var names: Set<String> = []
    private(set) var fingerprint = Fingerprint()
    /// The length of all names together.
    private(set) var bytes = 0

    init() {}

    init(_ names: some Sequence<String>) {
        for name in names { insert(name) }
    }

    var count: Int { names.count }

    func contains(_ name: String) -> Bool { names.contains(name) }

    mutating func insert(_ name: String) {
        guard names.insert(name).inserted else { return }
        fingerprint.insert(name)
        bytes += name.utf8.count
    }

    /// - Returns: whether it was there.
    mutating func remove(_ name: String) -> Bool {
        guard names.remove(name) != nil else { return false }
        fingerprint.remove(name)
        bytes -= name.utf8.count
        return true
    }

    static func == (one: NameSet, other: NameSet) -> Bool { one.fingerprint == other.fingerprint }
}
