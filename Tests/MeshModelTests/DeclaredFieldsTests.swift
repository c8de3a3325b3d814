import Documents
import MeshCore
import MeshFixtures
import MeshModel
import TestSupport
import Testing

@Suite("Declared fields")
struct DeclaredFieldsTests {
    private static let schemas = kinds.all.map { $0.specType.schema }

    @Test("have names of their own in each object, and say what they mean", arguments: schemas)
    func names(_ schema: ObjectSchema) {
        func check(_ schema: ObjectSchema, at place: String) {
            let names = schema.members.map(\.name)
            #expect(Set(names).count == names.count, "\(place): \(names)")
            for member in schema.members {
                #expect(!member.description.isEmpty, "\(place).\(member.name)")
                if let nested = member.schema.object { check(nested, at: "\(place).\(member.name)") }
            }
        }
        check(schema, at: schema.name ?? "")
    }

    /// A kind's documents, made at random and spoiled in up to three places.
    @Test(
        "make documents that are the same when they are written and read again, and that nothing brings down",
        arguments: kinds.all)
    func roundTrips(_ kind: Kind) {
        func check<Spec: Document>(_: Spec.Type) {
            var random = RandomDocument(SeededGenerator(seed: 7), words: RandomSpec.words)
            let names = Spec.schema.allNames
            var read = 0
            for round in 0..<400 {
                var document = RandomSpec.mended(random.object(Spec.schema), of: kind)
                for _ in 0..<round % 4 { document = random.spoiled(document, names: names) }
                let log = ViolationLog()
                guard let spec = Spec.read(document, at: .root, log: log) else {
                    #expect(log.count > 0, "\(document)")
                    continue
                }
                read += 1
                let again = ViolationLog()
                #expect(Spec.read(spec.json, at: .root, log: again) == spec, "\(document) \(again.violations)")
                // No early spelling is written.
                #expect(
                    again.warnings.allSatisfy { $0.code == .consequence } && again.unknownFields.isEmpty, "\(spec.json)"
                )
            }
            #expect(read >= 20, "\(kind)")
        }
        check(kind.specType)
    }

    @Test("that are without effect are warned of")
    func withoutEffect() {
        let log = ViolationLog()
        let spec: JSONValue = ["kind": "universal", "mesh": ["injection": ["namespaces": ["shop"]]]]
        #expect(ClusterSpec.read(spec, at: JSONPointer(["spec"]), log: log) != nil)
        #expect(log.warnings.map { "\($0.pointer) \($0.code)" } == ["/spec/mesh/injection/namespaces consequence"])
    }

    @Test("count the body of a direct response in bytes, but for what is stored")
    func bodies() {
        func problems(_ body: String, ofStored: Bool = false) -> [String] {
            let log = ViolationLog(ofStored: ofStored)
            let rule: JSONValue = ["directResponse": ["status": 503, "body": ["string": .string(body)]]]
            _ = VirtualServiceSpec.read(["hosts": ["a"], "http": [rule]], at: .root, log: log)
            return log.violations.map { "\($0.pointer) \($0.code)" }
        }
        let tooLong = String(repeating: "é", count: 2049)
        #expect(problems(String(repeating: "é", count: 2048)) == [])
        #expect(problems(tooLong) == ["/http/0/directResponse/body/string tooLong"])
        #expect(problems(tooLong, ofStored: true) == [])
    }

    @Test("that are refused name the field and the reason")
    func refused() {
        let log = ViolationLog()
        let spec: JSONValue = ["host": "a", "trafficPolicy": ["tls": ["mode": "ISTIO_MUTUAL"]]]
        #expect(DestinationRuleSpec.read(spec, at: JSONPointer(["spec"]), log: log) == nil)
        #expect(log.violations.map { "\($0.pointer) \($0.code)" } == ["/spec/trafficPolicy/tls unsupported"])
        #expect(log.violations.first?.detail.contains("are not encrypted yet") == true)
    }
}

extension Schema {
    /// The object that it is, or is a list or map of.
    fileprivate var object: ObjectSchema? {
        switch self {
        case .value, .named: nil
        case .list(let element, _), .map(let element, _): element.object
        case .object(let object): object
        }
    }
}
