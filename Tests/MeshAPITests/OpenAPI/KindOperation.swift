import HTTPTypes
import MeshCore
import MeshModel

@testable import MeshAPI

/// One of the six operations that objects of every kind have.
struct KindOperation {
    enum Verb: String, CaseIterable {
        case list, create, get, put, patch, delete
    }

    let kind: Kind
    let verb: Verb

    /// - Returns: `nil` for the operations that no table has.
    init?(_ route: Route) {
        for kind in kinds.all {
            for verb in Verb.allCases {
                let name = verb == .list ? kind.info.pluralName : kind.name
                guard route.operation == verb.rawValue + name else { continue }
                self.kind = kind
                self.verb = verb
                return
            }
        }
        return nil
    }

    var tag: String { kind.info.pluralName }

    var summary: String {
        let noun = kind.info.noun
        let one = ("aeiou".contains(noun.first ?? " ") ? "an " : "a ") + noun
        return switch verb {
        case .list: "Lists \(kind.info.nouns)."
        case .create: "Creates \(one)."
        case .get: "Reads \(one)."
        case .put: "Creates or replaces \(one)."
        case .patch: "Changes \(one) by a merge patch (RFC 7396)."
        case .delete: "Deletes \(one), if nothing needs it."
        }
    }

    /// Names of answers of success by status.
    var responses: [String: String?] {
        switch verb {
        case .list: ["200": "\(kind.name)List"]
        case .create: ["201": kind.name]
        case .get, .patch: ["200": kind.name]
        case .put: ["200": kind.name, "201": kind.name]
        case .delete: ["204": "Deleted"]
        }
    }
}
