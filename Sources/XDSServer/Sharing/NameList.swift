/// Names as a client listed them. Those of a large request stay the bytes that they came in: a thousand clients list the same
/// thousands of names, which their fingerprint tells, so strings are only made of a list that is new.
struct NameList {
    private enum Storage {
        case strings([String])
        case bytes([UInt8], [Range<Int>], NameSet.Fingerprint)
    }

    private let storage: Storage

    init(_ names: [String]) { storage = .strings(names) }

    /// - Parameters:
    ///   - message: where the names are.
    ///   - ranges: each the place of a name, which is ASCII.
    init(in message: [UInt8], _ ranges: [Range<Int>]) {
        var fingerprint = NameSet.Fingerprint()
        for range in ranges { fingerprint.insert(message[range]) }
        storage = .bytes(message, ranges, fingerprint)
    }

    var count: Int {
        switch storage {
        case .strings(let names): names.count
        case .bytes(_, let ranges, _): ranges.count
        }
    }

    var isEmpty: Bool { count == 0 }

    /// The length of the longest name, in bytes.
    var longest: Int {
        switch storage {
        case .strings(let names): names.reduce(0) { max($0, $1.utf8.count) }
        case .bytes(_, let ranges, _): ranges.reduce(0) { max($0, $1.count) }
        }
    }

    var strings: [String] {
        switch storage {
        case .strings(let names): names
        case .bytes(let message, let ranges, _): ranges.map { String(decoding: message[$0], as: UTF8.self) }
        }
    }

    /// The fingerprint of the names' set, unless there are duplicates.
    var fingerprint: NameSet.Fingerprint {
        switch storage {
        case .strings(let names): NameSet.Fingerprint(names)
        case .bytes(_, _, let fingerprint): fingerprint
        }
    }

    /// The list without `*`, by which a client asks for everything.
    var withoutWildcard: NameList { contains("*") ? NameList(strings.filter { $0 != "*" }) : self }

    func contains(_ name: String) -> Bool {
        switch storage {
        case .strings(let names): names.contains(name)
        case .bytes(let message, let ranges, _):
            ranges.contains { $0.count == name.utf8.count && message[$0].elementsEqual(name.utf8) }
        }
    }
}

extension NameList: Equatable, ExpressibleByArrayLiteral {
    init(arrayLiteral names: String...) { self.init(names) }

    static func == (one: NameList, other: NameList) -> Bool { one.strings == other.strings }
}

/// Names and versions of what a client says it has; the bytes that they came in, as with ``NameList``.
struct VersionList {
    typealias Place = (name: Range<Int>, version: Range<Int>)

    private enum Storage {
        case strings([String: String])
        case bytes([UInt8], [Place], NameSet.Fingerprint)
    }

    private let storage: Storage

    init(_ versions: [String: String]) { storage = .strings(versions) }

    /// - Parameters:
    ///   - message: where they are.
    ///   - places: each of a name and its version, which are ASCII.
    init(in message: [UInt8], _ places: [Place]) {
        var fingerprint = NameSet.Fingerprint()
        for place in places { fingerprint.insert(message[place.name], message[place.version]) }
        storage = .bytes(message, places, fingerprint)
    }

    var count: Int {
        switch storage {
        case .strings(let versions): versions.count
        case .bytes(_, let places, _): places.count
        }
    }

    var isEmpty: Bool { count == 0 }

    /// The length of the longest name, in bytes.
    var longest: Int {
        switch storage {
        case .strings(let versions): versions.reduce(0) { max($0, $1.key.utf8.count) }
        case .bytes(_, let places, _): places.reduce(0) { max($0, $1.name.count) }
        }
    }

    /// The versions by name. Of two versions of a name the last counts, as in any protobuf map.
    var versions: [String: String] {
        switch storage {
        case .strings(let versions): return versions
        case .bytes(let message, let places, _):
            var versions: [String: String] = Dictionary(minimumCapacity: places.count)
            for place in places {
                let name = String(decoding: message[place.name], as: UTF8.self)
                versions[name] = String(decoding: message[place.version], as: UTF8.self)
            }
            return versions
        }
    }

    var fingerprint: NameSet.Fingerprint {
        switch storage {
        case .strings(let versions):
            var fingerprint = NameSet.Fingerprint()
            for (name, version) in versions { fingerprint.insert(name.utf8, version.utf8) }
            return fingerprint
        case .bytes(_, _, let fingerprint): return fingerprint
        }
    }
}

extension VersionList: Equatable, ExpressibleByDictionaryLiteral {
    init(dictionaryLiteral pairs: (String, String)...) { self.init(Dictionary(pairs) { _, last in last }) }

    static func == (one: VersionList, other: VersionList) -> Bool { one.versions == other.versions }
}
