import Documents
import FormerSpecs
import GrayRelease
import MeshCore
import MeshFixtures
import MeshModel
import Testing

/// Temporary: the declarations against the readers that they take the place of.
@Suite("Declared fields read as the readers before them")
struct FormerReadersTests {
    struct Outcome: Equatable, CustomStringConvertible {
        var json: JSONValue?
        var violations: [String]
        var warnings: [String]
        var unknown: [String]
        var description: String { "\(json.map { "\($0)" } ?? "nil")\n V \(violations)\n W \(warnings)\n U \(unknown)" }
    }

    static func outcome(_ log: ViolationLog, _ json: JSONValue?) -> Outcome {
        func list(_ v: [Violation]) -> [String] { Set(v.map { "\($0.pointer) \($0.code)" }).sorted() }
        return Outcome(
            json: json, violations: list(log.violations), warnings: list(log.warnings), unknown: list(log.unknownFields)
        )
    }

    static func new<D: Document>(_ type: D.Type, _ json: JSONValue, _ stored: Bool) -> Outcome {
        let log = ViolationLog(ofStored: stored)
        let value = D.read(json, at: .root, log: log)
        return outcome(log, value?.json)
    }

    static func old<D: FormerSpecs.Spec>(_ type: D.Type, _ json: JSONValue, _ stored: Bool) -> Outcome {
        let log = ViolationLog(ofStored: stored)
        let value = D.read(json, at: .root, log: log)
        return outcome(log, value?.json)
    }

    static func compare<N: Document, O: FormerSpecs.Spec>(_ new: N.Type, _ old: O.Type, _ rounds: Int) {
        var random = RandomDocument(SystemRandomNumberGenerator())
        let names = N.schema.allNames
        var (valid, differences) = (0, [String: (Int, String)]())
        for _ in 0..<rounds {
            var document = random.object(N.schema)
            for _ in 0..<Int.random(in: 0...4) { document = random.spoiled(document, names: names) }
            let stored = Bool.random()
            let (a, b) = (Self.old(old, document, stored), Self.new(new, document, stored))
            if a.json != nil { valid += 1 }
            if a != b {
                let key =
                    (a.json == b.json ? "" : "VALUE ")
                    + "old \(Set(a.violations).subtracting(b.violations).map(Self.blur).sorted()) new \(Set(b.violations).subtracting(a.violations).map(Self.blur).sorted()) "
                    + (a.warnings == b.warnings ? "" : "W \(a.warnings) \(b.warnings) ")
                    + (a.unknown == b.unknown ? "" : "U \(a.unknown) \(b.unknown)")
                differences[key, default: (0, "\(document)\nOLD \(a)\nNEW \(b)")].0 += 1
            }
        }
        print("=== \(N.self): \(valid) of \(rounds) valid, \(differences.count) kinds of differences")
        for (key, (count, example)) in differences.sorted(by: { $0.value.0 > $1.value.0 }).prefix(60) {
            print("\(count) × \(key)")
            if key.hasPrefix("VALUE") { print("   \(example)") }
        }
    }

    static func blur(_ text: String) -> String { text.replacing(/\/[0-9]+/, with: "/*") }

    @Test func all() {
        let n = 30000
        Self.compare(MeshModel.TenantSpec.self, FormerSpecs.TenantSpec.self, n / 10)
        Self.compare(MeshModel.MeshSpec.self, FormerSpecs.MeshSpec.self, n / 10)
        Self.compare(MeshModel.ClusterSpec.self, FormerSpecs.ClusterSpec.self, n)
        Self.compare(MeshModel.ServiceSpec.self, FormerSpecs.ServiceSpec.self, n)
        Self.compare(MeshModel.EndpointSpec.self, FormerSpecs.EndpointSpec.self, n)
        Self.compare(MeshModel.DestinationRuleSpec.self, FormerSpecs.DestinationRuleSpec.self, n)
        Self.compare(MeshModel.VirtualServiceSpec.self, FormerSpecs.VirtualServiceSpec.self, n)
        Self.compare(GrayRelease.ReleaseSpec.self, FormerSpecs.ReleaseSpec.self, n)
    }
}
