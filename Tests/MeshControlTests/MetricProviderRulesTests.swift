import Documents
import MeshControl
import MeshCore
import MeshModel
import Testing

@Suite("Rules of metric providers")
struct MetricProviderRulesTests {
    private static func spec(_ auth: JSONValue) -> JSONValue {
        ["prometheus": ["url": "https://example.com", "auth": auth]]
    }

    private static func ref(_ key: String = "token", _ name: String = "prom") -> JSONValue {
        ["secretRef": ["name": .string(name), "key": .string(key)]]
    }

    @Test("Credentials are a key that a Secret of the namespace has, in one of three forms")
    func credentials() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/secrets/prom", ["type": "opaque", "data": ["token": "1", "other": "2"]])
            try await fixture.put("other/secrets/elsewhere", ["type": "opaque", "data": ["token": "1"]])
            let form = "/spec/prometheus/auth"
            let rows: [(JSONValue, String)] = [
                (["bearer": Self.ref("none")], "\(form)/bearer/secretRef/key unknownReference"),
                (["bearer": Self.ref("token", "elsewhere")], "\(form)/bearer/secretRef unknownReference"),
                ([:], "\(form) required"), (["bearer": [:]], "\(form)/bearer/secretRef required"),
                (
                    ["bearer": Self.ref(), "header": ["name": "a"]],
                    "\(form)/header/secretRef required, \(form) conflict"
                ),
                (
                    ["basic": ["username": "a:b", "secretRef": ["name": "prom", "key": "token"]]],
                    "\(form)/basic/username invalidFormat"
                ),
                (
                    ["header": ["name": "Content-Length", "secretRef": ["name": "prom", "key": "token"]]],
                    "\(form)/header/name invalidValue"
                ),
                (
                    ["header": ["name": "X Key", "secretRef": ["name": "prom", "key": "token"]]],
                    "\(form)/header/name invalidValue"
                ),
            ]
            for (auth, reason) in rows {
                let refusal = try await refusal(of: { try await fixture.put("shop/metricProviders/p", Self.spec(auth)) }
                )
                #expect(refusal == "invalid: \(reason)")
            }
            for auth: JSONValue in [
                ["bearer": Self.ref()], ["basic": ["username": "a", "secretRef": ["name": "prom", "key": "token"]]],
                ["header": ["name": "X-Key", "secretRef": ["name": "prom", "key": "token"]]],
            ] {
                try await fixture.put("shop/metricProviders/p", Self.spec(auth))
            }
        }
    }

    @Test("A Secret that is named stays, and so does the key of it")
    func inUse() async throws {
        try await ControlFixture.runPrepared { fixture in
            let secret: JSONValue = ["type": "opaque", "data": ["token": "1", "other": "2"]]
            try await fixture.put("shop/secrets/prom", secret)
            try await fixture.put("shop/metricProviders/p", Self.spec(["bearer": Self.ref()]))
            #expect(
                try await refusal(of: { try await fixture.delete("shop/secrets/prom") }) == "conflict: inUse shop/p")
            let less: JSONValue = ["type": "opaque", "data": ["other": "2"]]
            #expect(try await refusal(of: { try await fixture.put("shop/secrets/prom", less) }) == "conflict: inUse")
            try await fixture.put("shop/secrets/prom", ["type": "opaque", "data": ["token": "3"]])
            try await fixture.delete("shop/metricProviders/p")
            try await fixture.put("shop/secrets/prom", less)
            try await fixture.delete("shop/secrets/prom")
        }
    }
}
