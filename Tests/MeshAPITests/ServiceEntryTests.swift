import Documents
import Testing

@testable import MeshAPI

@Suite("Service entries over the API")
struct ServiceEntryTests {
    private static let path = Fixture.shop + "/serviceEntries/pay"

    private static func entry(_ changes: [String: JSONValue?] = [:]) -> JSONValue {
        var spec: [String: JSONValue] = [
            "hosts": ["pay.example.com"], "resolution": "STATIC", "ports": [["name": "http", "number": 80]],
            "endpoints": [["address": "192.0.2.1"]],
        ]
        for (name, value) in changes { spec[name] = value }
        return ["spec": .object(spec)]
    }

    @Test("what cannot be carried out is refused, each with its pointer")
    func refused() async throws {
        let many = JSONValue.array((0..<10_000).map { ["address": .string("10.0.\($0 / 250).\($0 % 250)")] })
        let cases: [(spec: JSONValue, pointer: String, code: String)] = [
            (Self.entry(["hosts": []]), "/spec/hosts", "required"),
            (Self.entry(["hosts": ["*.example.com"]]), "/spec/hosts/0", "unsupported"),
            (Self.entry(["hosts": ["*"]]), "/spec/hosts/0", "unsupported"),
            (Self.entry(["hosts": ["pay"]]), "/spec/hosts/0", "invalidFormat"),
            (Self.entry(["hosts": ["pay..example.com"]]), "/spec/hosts/0", "invalidFormat"),
            (Self.entry(["hosts": ["http://pay.example.com"]]), "/spec/hosts/0", "invalidFormat"),
            (Self.entry(["hosts": ["pay.example.com:80"]]), "/spec/hosts/0", "invalidFormat"),
            (Self.entry(["hosts": ["192.0.2.1"]]), "/spec/hosts/0", "invalidFormat"),
            (Self.entry(["hosts": ["reviews.shop.svc.cluster.local"]]), "/spec/hosts/0", "invalidFormat"),
            (Self.entry(["hosts": [.string(String(repeating: "a.", count: 127) + "a")]]), "/spec/hosts/0", "tooLong"),
            (Self.entry(["hosts": ["a.example.com", "a.example.com."]]), "/spec/hosts/1", "duplicate"),
            (Self.entry(["hosts": .array((0...32).map { .string("h\($0).example.com") })]), "/spec/hosts", "tooMany"),
            (Self.entry(["endpoints": many]), "/spec/endpoints", "tooMany"),
            (Self.entry(["endpoints": [["address": "pay.example.com"]]]), "/spec/endpoints/0/address", "invalidFormat"),
            (Self.entry(["endpoints": nil]), "/spec/endpoints", "required"),
            (
                Self.entry(["endpoints": [["address": "192.0.2.1", "ports": ["grpc": 1]]]]),
                "/spec/endpoints/0/ports/grpc", "unknownReference"
            ),
            (
                Self.entry(["endpoints": [["address": "192.0.2.1", "labels": [:]]]]), "/spec/endpoints/0/labels",
                "unsupported"
            ),
            (
                Self.entry(["ports": [["name": "tls", "number": 443, "protocol": "TCP"]]]), "/spec/ports/0/protocol",
                "unsupported"
            ),
            (
                Self.entry(["ports": [["name": "tls", "number": 443, "protocol": "HTTPS"]]]), "/spec/ports/0/protocol",
                "unsupported"
            ),
            (
                Self.entry(["ports": [["name": "tls", "number": 443, "protocol": "http"]]]), "/spec/ports/0/protocol",
                "invalidValue"
            ),
            (Self.entry(["resolution": nil]), "/spec/resolution", "required"),
            (Self.entry(["resolution": "NONE"]), "/spec/resolution", "unsupported"),
            (Self.entry(["resolution": "DYNAMIC_DNS"]), "/spec/resolution", "unsupported"),
            (
                Self.entry(["endpoints": [["address": "192.0.2.1"], ["address": "192.0.2.1", "weight": 5]]]),
                "/spec/endpoints/1/address", "duplicate"
            ),
            (
                Self.entry([
                    "hosts": .array((0..<32).map { .string("h\($0).example.com") }),
                    "endpoints": .array((0..<1000).map { ["address": .string("10.0.\($0 / 250).\($0 % 250)")] }),
                ]), "/spec/endpoints", "tooMany"
            ),
            (
                Self.entry(["resolution": "DNS_ROUND_ROBIN", "endpoints": [["address": "a.b"], ["address": "c.d"]]]),
                "/spec/endpoints", "tooMany"
            ),
            (Self.entry(["exportTo": ["a b"]]), "/spec/exportTo/0", "invalidFormat"),
            (Self.entry(["addresses": ["240.0.0.1"]]), "/spec/addresses", "unsupported"),
            (Self.entry(["workloadSelector": [:]]), "/spec/workloadSelector", "unsupported"),
            (Self.entry(["subjectAltNames": ["a"]]), "/spec/subjectAltNames", "unsupported"),
        ]
        try await Fixture.run { api in
            try await api.prepare()
            for (spec, pointer, code) in cases {
                let answer = try await api.send("PUT", Self.path, spec, ["If-None-Match": "*"])
                #expect(answer.status == 400, "\(spec)")
                let errors = (answer.body["errors"]?.arrayValue ?? []).map {
                    "\($0["pointer"]?.stringValue ?? "") \($0["code"]?.stringValue ?? "")"
                }
                #expect(errors.contains("\(pointer) \(code)"), "\(errors) for \(pointer)")
            }
            #expect(try await api.get(Self.path).status == 404)
            #expect(try await api.send("PUT", Self.path, Self.entry(), ["If-None-Match": "*"]).status == 201)
        }
    }

    @Test("names that are others' are not to be had")
    func others() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let ops = "/v1/tenants/acme/meshes/default/namespaces/ops/serviceEntries/pay"
            let stolen = try await api.send("PUT", ops, Self.entry(["hosts": ["reviews.shop"]]), ["If-None-Match": "*"])
            #expect(stolen.status == 400)
            #expect(stolen.body["errors"]?.arrayValue?.first?["pointer"] == "/spec/hosts/0")
            let own = Self.entry(["hosts": ["reviews.shop"], "exportTo": ["."]])
            #expect(try await api.send("PUT", ops, own, ["If-None-Match": "*"]).status == 201)

            #expect(try await api.send("PUT", Self.path, Self.entry(), ["If-None-Match": "*"]).status == 201)
            let second = try await api.send("PUT", Self.path + "2", Self.entry(), ["If-None-Match": "*"])
            #expect(second.status == 422 && second.code == "hostOwned", "\(second.text)")
            #expect(second.body["owner"]?["name"] == "pay")
            // Another namespace's are its own, but not for those who see the first.
            let late = try await api.send("PUT", ops, Self.entry(), ["If-Match": "*"])
            #expect(late.status == 200, "\(late.text)")
            #expect(late.body["warnings"]?.arrayValue?.first?["code"] == "conflict", "\(late.text)")
            #expect(
                try await api.send("PUT", Self.path, Self.entry(["location": "MESH_INTERNAL"]), ["If-Match": "*"])
                    .status == 200)
        }
    }

    @Test("a service's name stays its own for others, whatever was defined before it")
    func squatting() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let ops = "/v1/tenants/acme/meshes/default/namespaces/ops/serviceEntries/squat"
            let squat = Self.entry(["hosts": ["reviews-v2.shop"]])
            #expect(try await api.send("PUT", ops, squat, ["If-None-Match": "*"]).status == 201)
            let late = try await api.send(
                "PUT", Fixture.shop + "/services/reviews-v2", Fixture.reviews, ["If-None-Match": "*"])
            #expect(late.status == 201)
            let warning = late.body["warnings"]?.arrayValue?.first
            #expect(warning?["object"]?["name"] == "squat", "\(late.text)")
            #expect(warning?["pointer"] == "/spec/hosts/0")
        }
    }

    @Test("a mesh can forbid private addresses, and what may be one")
    func privateAddresses() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let mesh: JSONValue = ["spec": ["allowPrivateHosts": false]]
            #expect(
                try await api.send("PATCH", "/v1/tenants/acme/meshes/default", mesh, ["If-Match": "*"]).status == 200)
            let hidden = [
                "10.1.2.3", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0",
                "224.0.0.1", "::", "::1", "fe80::1", "fd00::1", "ff02::1", "::ffff:10.0.0.1", "::ffff:a00:1",
                "::10.0.0.1",
                "64:ff9b::10.0.0.1", "febf::1", "64:ff9b:1::a00:1", "2002:a00:1::", "::ffff:0:10.0.0.1", "100::1",
                "2001::1", "192.0.0.192",
            ]
            for address in hidden {
                let spec = Self.entry(["endpoints": [["address": "192.0.2.1"], ["address": .string(address)]]])
                let answer = try await api.send("PUT", Self.path, spec, ["If-None-Match": "*"])
                #expect(answer.status == 400, "\(address)")
                #expect(answer.body["errors"]?.arrayValue?.map { $0["pointer"] } == ["/spec/endpoints/1/address"])
            }
            let dns = Self.entry(["resolution": "DNS", "endpoints": nil])
            let resolved = try await api.send("PUT", Self.path, dns, ["If-None-Match": "*"])
            #expect(resolved.body["errors"]?.arrayValue?.map { $0["pointer"] } == ["/spec/resolution"])
            for address in [
                "192.0.2.1", "8.8.8.8", "2001:db8::1", "::ffff:8.8.8.8", "172.32.0.1", "100.128.0.1", "2002:808:808::",
            ] {
                let spec = Self.entry(["endpoints": [["address": .string(address)]]])
                let answer = try await api.send("PUT", Self.path, spec, ["If-None-Match": "*"])
                #expect(answer.status == 201, "\(address): \(answer.text)")
                #expect(try await api.send("DELETE", Self.path, headers: ["If-Match": "*"]).status == 204)
            }
        }
    }
}
