import HTTPTypes
import MeshCore
import MeshModel

@testable import MeshAPI

/// One of the operations that objects of every kind have.
struct KindOperation {
    enum Verb: String, CaseIterable {
        case list, create, get, put, patch, delete, references
    }

    let kind: Kind
    let verb: Verb

    /// - Returns: `nil` for the operations that no table has.
    init?(_ route: Route) {
        for kind in kinds.all {
            for verb in Verb.allCases {
                guard route.operation == Self.name(verb, kind) else { continue }
                self.kind = kind
                self.verb = verb
                return
            }
        }
        return nil
    }

    private static func name(_ verb: Verb, _ kind: Kind) -> String {
        switch verb {
        case .list: "list\(kind.info.pluralName)"
        case .references: "list\(kind.name)References"
        case .create, .get, .put, .patch, .delete: verb.rawValue + kind.name
        }
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
        case .references: "Lists what \(one) names, and what names it."
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
        case .references: ["200": "References"]
        }
    }
}
