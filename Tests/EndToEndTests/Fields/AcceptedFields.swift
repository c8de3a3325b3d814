import Documents
import MeshCore

/// Names the fields that the API accepts: those that reading a document asks for, less those that it refuses.
///
/// Of an unknown field, a reader says which ones there are. So one is put into each object of documents that have every object
/// that there can be.
enum AcceptedFields {
    private static let stranger = "zz-stranger"

    /// - Returns: patterns of pointers to fields that are no objects themselves.
    static func of<Noun: Spec>(_ noun: Noun.Type, in documents: [JSONValue]) -> Set<String> {
        var known: Set<String> = []
        for document in documents {
            for place in places(of: document) {
                for name in names(noun, at: place, in: document) {
                    let here = place + [name]
                    if !isRefused(noun, at: here, in: document) { known.insert(pattern(["spec"] + here)) }
                }
            }
        }
        return known.filter { field in !known.contains { $0.hasPrefix(field + "/") } }
    }

    /// A pointer without the places in lists and the keys of maps, which in these tests begin with `x-`.
    static func pattern(_ tokens: [String]) -> String {
        tokens.map { "/" + (Int($0) != nil || $0.hasPrefix("x-") ? "*" : $0) }.joined()
    }

    private static func log<Noun: Spec>(_ noun: Noun.Type, _ document: JSONValue) -> ViolationLog {
        let log = ViolationLog()
        _ = noun.read(document, at: .root, log: log)
        return log
    }

    private static func names<Noun: Spec>(_ noun: Noun.Type, at place: [String], in document: JSONValue) -> [String] {
        let log = log(noun, document.replacing((place + [stranger])[...], with: true))
        return log.unknownFields.first { $0.pointer.tokens == place + [stranger] }?.choices ?? []
    }

    private static func isRefused<Noun: Spec>(
        _ noun: Noun.Type, at place: [String], in document: JSONValue
    ) -> Bool {
        let isThere = document.value(at: place[...]) != nil
        let log = log(noun, isThere ? document : document.replacing(place[...], with: [:]))
        return log.violations.contains { $0.code == .unsupported && $0.pointer.tokens == place }
    }

    /// All objects in a document.
    private static func places(of document: JSONValue) -> [[String]] {
        switch document {
        case .object(let members):
            [[]] + members.flatMap { name, member in places(of: member).map { [name] + $0 } }
        case .array(let elements):
            elements.enumerated().flatMap { index, element in places(of: element).map { ["\(index)"] + $0 } }
        default: []
        }
    }
}

extension JSONValue {
    func value(at path: ArraySlice<String>) -> JSONValue? {
        guard let name = path.first else { return self }
        let next = Int(name).flatMap { index in
            arrayValue.flatMap { $0.indices.contains(index) ? $0[index] : nil }
        }
        return (next ?? self[name])?.value(at: path.dropFirst())
    }
}
